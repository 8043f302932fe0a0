import { READER_OVERLAP } from './layout'
import { Tensor } from './net'
import { normaliseInto } from './normalise'
import { growQuad, homographyOf, quadHeight, quadWidth, quadX, quadY } from './quad'
import { sampleHomography } from './rectify'

/** What the reader is shown of a quad: one line as it is, or the two lines of a motorcycle's plate side by side. */

const grown: usize = memory.data(64, 16)
const part: usize = memory.data(64, 16)
const homography: usize = memory.data(72, 16)

/** The quad grown by `margin` into the net's `input`, as one line or as two. `samples`: f32 room for the input and 4 values more. */
export function showQuad(quad: usize, margin: f64, twoLines: bool, samples: usize, input: Tensor): void {
  growQuad(quad, margin, grown)
  if (twoLines) sampleTwoLines(grown, input.width, input.height, samples)
  else samplePart(grown, input.width, input.height, samples, input.width)
  normaliseInto(samples, input)
}

/** The upper part of a quad in the left half of the output, its lower part in the right half; they overlap in the middle of the plate. */
export function sampleTwoLines(quad: usize, width: u32, height: u32, out: usize): void {
  const half = width >> 1
  cutPart(quad, 0, READER_OVERLAP)
  samplePart(part, half, height, out, width)
  cutPart(quad, 1 - READER_OVERLAP, 1)
  samplePart(part, half, height, out + half * 4, width)
}

/** `part` = the quad from `from` to `to` (0 top, 1 bottom), cut along its left and right sides. */
function cutPart(quad: usize, from: f64, to: f64): void {
  pointOfSide(quad, 0, 3, from, 0)
  pointOfSide(quad, 1, 2, from, 1)
  pointOfSide(quad, 1, 2, to, 2)
  pointOfSide(quad, 0, 3, to, 3)
}

/** Corner `corner` of `part` = the point at `t` of the way from corner `top` to corner `bottom` of the quad. */
function pointOfSide(quad: usize, top: u32, bottom: u32, t: f64, corner: u32): void {
  store<f64>(part + corner * 16, quadX(quad, top) + (quadX(quad, bottom) - quadX(quad, top)) * t)
  store<f64>(part + corner * 16, quadY(quad, top) + (quadY(quad, bottom) - quadY(quad, top)) * t, 8)
}

function samplePart(quad: usize, width: u32, height: u32, out: usize, rowLength: u32): void {
  homographyOf(quad, homography)
  const scale = max(quadWidth(quad) / <f64>width, quadHeight(quad) / <f64>height)
  sampleHomography(homography, scale, width, height, out, rowLength)
}

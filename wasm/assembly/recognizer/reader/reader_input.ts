import { READER_OVERLAP } from '../layout'
import { Tensor } from '../nets/net'
import { normaliseInto } from '../nets/normalise'
import { growQuad, homographyOf, quadHeight, quadWidth, quadX, quadY } from '../cascade/quad'
import { sampleHomography } from '../cascade/rectify'

/** The part of a quad that the reader reads: all of it, or one line of a two-line plate. */
export const WHOLE: u32 = 0
export const UPPER_LINE: u32 = 1
export const LOWER_LINE: u32 = 2

const grown: usize = memory.data(64, 16)
const part: usize = memory.data(64, 16)
const homography: usize = memory.data(72, 16)

/**
 * Fills a net's `input` with part `which` of the quad grown by `margin`. `samples`: f32 scratch, 4 more than the input.
 */
export function showQuad(quad: usize, margin: f64, which: u32, samples: usize, input: Tensor): void {
  growQuad(quad, margin, grown)
  sampleQuad(grown, which, input.width, input.height, samples)
  normaliseInto(samples, input)
}

/** Samples part `which` of a quad; the two lines overlap in the middle of the plate. */
export function sampleQuad(quad: usize, which: u32, width: u32, height: u32, out: usize): void {
  if (which == UPPER_LINE) cutPart(quad, 0, READER_OVERLAP)
  else if (which == LOWER_LINE) cutPart(quad, 1 - READER_OVERLAP, 1)
  const shown = which == WHOLE ? quad : part
  homographyOf(shown, homography)
  const scale = max(quadWidth(shown) / <f64>width, quadHeight(shown) / <f64>height)
  sampleHomography(homography, scale, width, height, out, width)
}

/** `part` = the quad from `from` to `to` (0 top, 1 bottom), cut along its left and right sides. */
function cutPart(quad: usize, from: f64, to: f64): void {
  pointOfSide(quad, 0, 3, from, 0)
  pointOfSide(quad, 1, 2, from, 1)
  pointOfSide(quad, 1, 2, to, 2)
  pointOfSide(quad, 0, 3, to, 3)
}

/** Corner `corner` of `part` = the point at fraction `t` from corner `top` to corner `bottom` of the quad. */
function pointOfSide(quad: usize, top: u32, bottom: u32, t: f64, corner: u32): void {
  store<f64>(part + corner * 16, quadX(quad, top) + (quadX(quad, bottom) - quadX(quad, top)) * t)
  store<f64>(part + corner * 16, quadY(quad, top) + (quadY(quad, bottom) - quadY(quad, top)) * t, 8)
}

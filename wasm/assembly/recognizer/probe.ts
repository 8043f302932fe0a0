import { searchBeam, beamPrefix, beamProbability } from './reader/ctc_beam'
import { positionPosteriors } from './reader/ctc_posterior'
import { Net, tensorAt } from './nets/net'
import { runLayer, runNet } from './nets/net_run'
import { normaliseInto } from './nets/normalise'
import { buildPyramid, layPyramid, levelAddress, levelCount } from './cascade/pyramid'
import { homographyOf } from './cascade/quad'
import { sampleQuad } from './reader/reader_input'
import { sampleHomography } from './cascade/rectify'
import { sampleWindow } from './cascade/sample'
import { grow, stage } from './arena'

/**
 * Exports of single parts, for the tests that compare each part with its scalar twin (test/wasm). Addresses in,
 * addresses out.
 */

export function probeStage(bytes: usize): usize {
  return stage(bytes)
}

export function probeRun(net: usize): void {
  runNet(changetype<Net>(net))
}

/** Runs one layer on the present contents of its source, for timing. */
export function probeLayer(net: usize, index: u32): void {
  runLayer(changetype<Net>(net), index)
}

/** Address of a tensor's fields: height, width, channels, raw, rowStep, pixelStep, base, interior (u32 each). */
export function probeTensor(net: usize, index: u32): usize {
  return changetype<usize>(tensorAt(changetype<Net>(net), index))
}

export function probeNormalise(samples: usize, net: usize): void {
  normaliseInto(samples, tensorAt(changetype<Net>(net), 0))
}

/** Lays out a pyramid at `base`; returns the number of its levels. */
export function probePyramid(base: usize, width: u32, height: u32): u32 {
  grow(layPyramid(base, width, height))
  return levelCount()
}

export function probeBuildPyramid(): void {
  buildPyramid()
}

export function probeLevel(level: u32): usize {
  return levelAddress(level)
}

export function probeWindow(
  left: f64, top: f64, width: f64, height: f64, outWidth: u32, outHeight: u32, out: usize,
): void {
  sampleWindow(left, top, width, height, outWidth, outHeight, out)
}

export function probeHomography(quad: usize, out: usize): void {
  homographyOf(quad, out)
}

export function probeRectify(homography: usize, scale: f64, outWidth: u32, outHeight: u32, out: usize): void {
  sampleHomography(homography, scale, outWidth, outHeight, out, outWidth)
}

/** `which`: reader_input.ts. */
export function probeLine(quad: usize, which: u32, width: u32, height: u32, out: usize): void {
  sampleQuad(quad, which, width, height, out)
}

/** Beam search; writes (u64 prefix, f64 probability) pairs to `out`, returns their number. */
export function probeBeam(probabilities: usize, columns: u32, width: u32, out: usize): u32 {
  const count = searchBeam(probabilities, columns, width)
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(out + i * 16, beamPrefix(i))
    store<f64>(out + i * 16, beamProbability(i), 8)
  }
  return count
}

export function probePositions(probabilities: usize, columns: u32, classes: usize, length: u32, out: usize): void {
  positionPosteriors(probabilities, columns, classes, length, out)
}

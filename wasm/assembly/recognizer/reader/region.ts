import { MAX_REGIONS } from '../layout'
import { Net, tensorAt } from '../nets/net'
import { runNet } from '../nets/net_run'
import { showQuad, WHOLE } from './reader_input'

/**
 * The region of issue: a separate net sees the whole plate, lettering and pictures included. The mean of its outputs
 * over the columns is the logit of each region (docs/model-format.md, rule 8).
 */
export let regionCount: u32 = 0
let floor: f64 = 1
let scale: f64 = 1

/** f64 [regions]: logits, then probabilities. */
const sums: usize = memory.data(128 * 8, 8)

/** `least`: the probability from which a region is named; `sharpness` multiplies the logits. */
export function configureRegions(count: u32, least: f64, sharpness: f64): void {
  regionCount = min(count, MAX_REGIONS)
  floor = least
  scale = sharpness
}

/**
 * Computes the probabilities of the regions from the quad grown by `margin`. Does nothing in a model without regions.
 */
export function lookForRegion(net: Net, quad: usize, margin: f64, samples: usize): void {
  if (regionCount == 0) return
  showQuad(quad, margin, WHOLE, samples, tensorAt(net, 0))
  runNet(net)
  const output = tensorAt(net, net.layerCount)
  const share = scale / <f64>output.width
  let top: f64 = -Infinity
  for (let r: u32 = 0; r < regionCount; r++) {
    let at = output.interior + r * 4
    let sum: f64 = 0
    for (let t: u32 = 0; t < output.width; t++, at += output.pixelStep) sum += <f64>load<f32>(at)
    store<f64>(sums + r * 8, sum * share)
    top = max(top, sum * share)
  }
  let sum: f64 = 0
  for (let r: u32 = 0; r < regionCount; r++) {
    const p = Math.exp(load<f64>(sums + r * 8) - top)
    store<f64>(sums + r * 8, p)
    sum += p
  }
  for (let r: u32 = 0; r < regionCount; r++) store<f64>(sums + r * 8, regionShare(r) / sum)
}

/** Probability of a region for the last plate. */
@inline
export function regionShare(region: u32): f64 {
  return load<f64>(sums + region * 8)
}

/** The most probable region, -1 when none reaches the floor. */
export function namedRegion(): i32 {
  let best: i32 = -1
  let most: f64 = floor
  for (let r: u32 = 0; r < regionCount; r++) {
    if (regionShare(r) >= most && (best < 0 || regionShare(r) > most)) {
      most = regionShare(r)
      best = r
    }
  }
  return best
}

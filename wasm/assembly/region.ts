import { CLASSES, MAX_REGIONS } from './layout'
import { Net, tensorAt } from './net'

/**
 * Who issued the plate. Behind the classes of a column the reader has one output a region; their mean over the columns of all looks is
 * the logit of that region (docs/model-format.md, rule 8).
 */
export let regionCount: u32 = 0
let floor: f64 = 1
let scale: f64 = 1

/** f64 [regions]: sums of logits, then probabilities. */
const sums: usize = memory.data(128 * 8, 8)
let looks: u32 = 0

/** `least`: the probability from which a region is named; `sharpness` multiplies the logits. */
export function configureRegions(count: u32, least: f64, sharpness: f64): void {
  regionCount = min(count, MAX_REGIONS)
  floor = least
  scale = sharpness
}

export function forgetRegions(): void {
  memory.fill(sums, 0, regionCount * 8)
  looks = 0
}

/** Counts in what the reader's output says now. */
export function addRegionLook(net: Net): void {
  const output = tensorAt(net, net.layerCount)
  const share = 1 / <f64>output.width
  for (let r: u32 = 0; r < regionCount; r++) {
    let at = output.interior + (CLASSES + r) * 4
    let sum: f64 = 0
    for (let t: u32 = 0; t < output.width; t++, at += output.pixelStep) sum += <f64>load<f32>(at)
    store<f64>(sums + r * 8, load<f64>(sums + r * 8) + sum * share)
  }
  looks++
}

/** Turns the sums into probabilities: softmax of scale * mean logit. */
export function settleRegions(): void {
  let top: f64 = -Infinity
  const factor = scale / <f64>max<u32>(looks, 1)
  for (let r: u32 = 0; r < regionCount; r++) top = max(top, load<f64>(sums + r * 8) * factor)
  let sum: f64 = 0
  for (let r: u32 = 0; r < regionCount; r++) {
    const p = Math.exp(load<f64>(sums + r * 8) * factor - top)
    store<f64>(sums + r * 8, p)
    sum += p
  }
  for (let r: u32 = 0; r < regionCount; r++) store<f64>(sums + r * 8, regionShare(r) / sum)
}

/** Probability of a region, once settled. */
@inline
export function regionShare(region: u32): f64 {
  return load<f64>(sums + region * 8)
}

/** The most probable region, -1 when none is sure enough to be named. */
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

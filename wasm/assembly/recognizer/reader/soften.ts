import { CLASSES } from '../layout'

/**
 * A net is overconfident in each character. The calibrated confidence is the probability that the whole text is right,
 * so the positions are mixed with a fatter-tailed form of themselves until the product of the best characters equals
 * it:
 *
 *     soft = (1 - m) * p + m * sqrt(p) / sum(sqrt(p)),   one m in 0..1 for all positions
 *
 * The square root raises exactly the characters that the net considered at all, which is what a matcher needs.
 */
const HALVINGS: u32 = 16
/** Minimum probability of any class at any position: nothing is impossible. */
const FLOOR: f64 = 1e-5

const roots: usize = memory.data(12 * 8, 8)

/**
 * `posteriors`: f64 [length][37], class 0 none; `classes`: u8 [length], the text; `out`: f32 [length][37], class 36
 * none.
 */
export function softenPositions(posteriors: usize, classes: usize, length: u32, confidence: f64, out: usize): void {
  for (let i: u32 = 0; i < length; i++) {
    let sum: f64 = 0
    for (let c: u32 = 0; c < CLASSES; c++) sum += sqrt(load<f64>(posteriors + (i * CLASSES + c) * 8))
    store<f64>(roots + i * 8, sum)
  }
  let low: f64 = 0
  let high: f64 = 1
  for (let k: u32 = 0; k < HALVINGS; k++) {
    const m = (low + high) / 2
    let product: f64 = 1
    for (let i: u32 = 0; i < length; i++) product *= soft(posteriors, i, load<u8>(classes + i), m)
    if (product > confidence) low = m
    else high = m
  }
  for (let i: u32 = 0; i < length; i++) {
    for (let c: u32 = 0; c < CLASSES; c++) {
      const p = FLOOR + (1 - <f64>CLASSES * FLOOR) * soft(posteriors, i, c, low)
      // the reader's class 0 is the blank; a distribution has 'none' after the characters
      const index = c == 0 ? CLASSES - 1 : c - 1
      store<f32>(out + (i * CLASSES + index) * 4, <f32>p)
    }
  }
}

@inline
function soft(posteriors: usize, i: u32, c: u32, m: f64): f64 {
  const p = load<f64>(posteriors + (i * CLASSES + c) * 8)
  return (1 - m) * p + m * sqrt(p) / load<f64>(roots + i * 8)
}

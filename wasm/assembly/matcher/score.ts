import { ANY, AUTOMATON_CLASSES, CLASS_BYTES, CLASS_MISSING, CLASS_WEIGHTS, PATTERN_CLASSES } from './layout'
import { LEVEL_STATES, SCORE_SET, SCORES_AT, workspace } from './workspace'

/**
 * The probability that a stored plate satisfies a pattern: the best alignment's product of
 *
 *     element takes the character, or the character is a misread for it   P(a character of the element | this one was read)
 *     `?`, a run                                                          1
 *     extra character   P(extra)             missing character            P(missing) * share of the characters that the element takes
 *
 * with at most `edits` of the last three together; look-alikes that an element takes cost no edit.
 */

/** `order`: an automaton of the whole pattern; `codes`: of the plate. 0 when it does not match. */
export function scorePlate(pattern: usize, order: usize, edits: u32, codes: usize, length: u32): f64 {
  const elements = load<u32>(order)
  const stars = load<u32>(order, 4)
  const classes = pattern + PATTERN_CLASSES
  const ids = order + AUTOMATON_CLASSES
  if (edits == 0 && stars == 0) {
    if (elements != length) return 0
    let product: f64 = 1
    for (let j: u32 = 0; j < length; j++) {
      const id = <u32>load<u8>(ids + j)
      if (id == ANY) continue
      const at = classes + id * CLASS_BYTES
      const code = <u32>load<u8>(codes + j)
      if (!((load<u64>(at) >> code) & 1)) return 0
      product *= load<f64>(at + (code << 3), CLASS_WEIGHTS)
    }
    return product
  }
  if (edits == 0 && (stars & (stars - 1)) == 0) return scoreAround(classes, ids, elements, ctz(stars), codes, length)
  const extra = load<f64>(pattern, 288)
  const missingAny = load<f64>(pattern, 296)
  let now = workspace + SCORES_AT
  let next = now + SCORE_SET
  memory.fill(now, 0, SCORE_SET)
  store<f64>(now, 1)
  dropScores(now, elements, ids, classes, edits, missingAny)
  for (let i: u32 = 0; i < length; i++) {
    const code = <u32>load<u8>(codes + i)
    memory.fill(next, 0, SCORE_SET)
    for (let e: u32 = 0; e <= edits; e++) {
      const level = e * LEVEL_STATES * 8
      for (let j: u32 = 0; j <= elements; j++) {
        const p = load<f64>(now + level + j * 8)
        if (p == 0) continue
        const at = next + level + j * 8
        const more = at + LEVEL_STATES * 8
        if ((stars >> j) & 1) raise(at, p)
        if (e < edits) raise(more, p * extra)
        if (j == elements) continue
        const id = <u32>load<u8>(ids + j)
        if (id == ANY) {
          raise(at + 8, p)
          continue
        }
        const entry = classes + id * CLASS_BYTES
        const weighed = p * load<f64>(entry + (code << 3), CLASS_WEIGHTS)
        if ((load<u64>(entry) >> code) & 1) raise(at + 8, weighed)
        else if (e < edits) raise(more + 8, weighed)
      }
    }
    dropScores(next, elements, ids, classes, edits, missingAny)
    const other = now
    now = next
    next = other
  }
  let best: f64 = 0
  for (let e: u32 = 0; e <= edits; e++) best = max(best, load<f64>(now + (e * LEVEL_STATES + elements) * 8))
  return best
}

/** One run: what stands before it is at the beginning of the plate, what stands behind it at the end. */
function scoreAround(classes: usize, ids: usize, elements: u32, run: u32, codes: usize, length: u32): f64 {
  if (elements > length) return 0
  const shift = length - elements
  let product: f64 = 1
  for (let j: u32 = 0; j < elements; j++) {
    const id = <u32>load<u8>(ids + j)
    if (id == ANY) continue
    const at = classes + id * CLASS_BYTES
    const code = <u32>load<u8>(codes + j + (j < run ? 0 : shift))
    if (!((load<u64>(at) >> code) & 1)) return 0
    product *= load<f64>(at + (code << 3), CLASS_WEIGHTS)
  }
  return product
}

function dropScores(set: usize, elements: u32, ids: usize, classes: usize, edits: u32, missingAny: f64): void {
  for (let e: u32 = 0; e < edits; e++) {
    for (let j: u32 = 0; j < elements; j++) {
      const p = load<f64>(set + (e * LEVEL_STATES + j) * 8)
      if (p == 0) continue
      const id = <u32>load<u8>(ids + j)
      raise(set + ((e + 1) * LEVEL_STATES + j + 1) * 8, p * (id == ANY ? missingAny : load<f64>(classes + id * CLASS_BYTES, CLASS_MISSING)))
    }
  }
}

@inline
function raise(at: usize, p: f64): void {
  if (p > load<f64>(at)) store<f64>(at, p)
}

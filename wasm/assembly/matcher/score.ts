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
  // nothing read yet: only missing characters lead on
  for (let e: u32 = 0; e <= edits; e++) {
    for (let j: u32 = 0; j <= elements; j++) {
      const p: f64 = e == 0 ? (j == 0 ? 1 : 0) : j > 0 ? at(now, e - 1, j - 1) * missingOf(classes, ids, j - 1, missingAny) : 0
      store<f64>(now + (e * LEVEL_STATES + j) * 8, p)
    }
  }
  for (let i: u32 = 0; i < length; i++) {
    const code = <u32>load<u8>(codes + i)
    for (let e: u32 = 0; e <= edits; e++) {
      for (let j: u32 = 0; j <= elements; j++) {
        let p: f64 = (stars >> j) & 1 ? at(now, e, j) : 0
        if (j > 0) {
          const id = <u32>load<u8>(ids + j - 1)
          if (id == ANY) {
            p = max(p, at(now, e, j - 1))
          } else {
            const entry = classes + id * CLASS_BYTES
            const taken = (load<u64>(entry) >> code) & 1
            if (taken != 0) p = max(p, at(now, e, j - 1) * load<f64>(entry + (code << 3), CLASS_WEIGHTS))
            else if (e > 0) p = max(p, at(now, e - 1, j - 1) * load<f64>(entry + (code << 3), CLASS_WEIGHTS))
          }
          if (e > 0) p = max(p, at(next, e - 1, j - 1) * missingOf(classes, ids, j - 1, missingAny))
        }
        if (e > 0) p = max(p, at(now, e - 1, j) * extra)
        store<f64>(next + (e * LEVEL_STATES + j) * 8, p)
      }
    }
    const other = now
    now = next
    next = other
  }
  let best: f64 = 0
  for (let e: u32 = 0; e <= edits; e++) best = max(best, at(now, e, elements))
  return best
}

@inline
function at(set: usize, errors: u32, element: u32): f64 {
  return load<f64>(set + (errors * LEVEL_STATES + element) * 8)
}

@inline
function missingOf(classes: usize, ids: usize, element: u32, any: f64): f64 {
  const id = <u32>load<u8>(ids + element)
  return id == ANY ? any : load<f64>(classes + id * CLASS_BYTES, CLASS_MISSING)
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

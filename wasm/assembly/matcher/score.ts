import { beginEndings, endings, stepEndings } from './endings'
import {
  ANY, AUTOMATON_CLASSES, AUTOMATON_STARS, AUTOMATON_TAKES, CLASS_BYTES, CLASS_MISSING, CLASS_WEIGHTS, ENDINGS_AT,
  LEVEL_STATES, PATTERN_BOUNDS, PATTERN_CLASSES, PATTERN_EXTRA, PATTERN_MISSING, SCORES_AT, SCORE_SET,
} from './layout'
import { addWork, ORDER_UNITS, SCORE_UNITS } from './work'
import { workspace } from './workspace'

/**
 * The probability that a stored plate satisfies a pattern: the best alignment's product of
 *
 *     character accepted by an element, or misread   P(a character of the element | this one was read)
 *     `?`, a run                                     1
 *     extra character                                P(extra)
 *     missing character                              P(missing) * share of the characters that the element accepts
 *
 * with at most `edits` errors (misread, extra, missing) in total; look-alikes that an element accepts are not errors.
 *
 * The states are those of automaton.ts. The first pass, as bits, goes from the end of the plate to its beginning and
 * finds the states from which the rest can end well, and with how many errors. The second goes forward, with products,
 * only through these, and only while the product times the bound of the errors still needed is large enough.
 */

/**
 * `order`: an automaton of the whole pattern; `codes`: those of the plate. Returns 0 when the plate does not match, and
 * possibly when it is less probable than `least`.
 */
export function scorePlate(pattern: usize, order: usize, edits: u32, codes: usize, length: u32, least: f64): f64 {
  const elements = load<u32>(order)
  const stars = load<u32>(order, AUTOMATON_STARS)
  const classes = pattern + PATTERN_CLASSES
  const ids = order + AUTOMATON_CLASSES
  addWork(ORDER_UNITS)
  if (edits == 0 && stars == 0) {
    return elements == length ? scoreAround(classes, ids, elements, elements, codes, length) : 0
  }
  if (edits == 0 && (stars & (stars - 1)) == 0) return scoreAround(classes, ids, elements, ctz(stars), codes, length)
  const table = workspace + ENDINGS_AT
  beginEndings(table, elements, stars, edits)
  for (let i = length; i > 0; i--) {
    stepEndings(load<u32>(order + (<u32>load<u8>(codes + i - 1) << 2), AUTOMATON_TAKES))
  }
  const error = load<f64>(pattern + PATTERN_BOUNDS, 16) / load<f64>(pattern + PATTERN_BOUNDS)
  const extra = load<f64>(pattern, PATTERN_EXTRA)
  const missingAny = load<f64>(pattern, PATTERN_MISSING)
  let now = workspace + SCORES_AT
  let next = now + SCORE_SET
  // states of each set that have a product, by number of errors
  let s0: u32 = 1
  let s1: u32 = 0
  let s2: u32 = 0
  store<f64>(now, 1)
  // before the first character only missing characters lead on
  for (let e: u32 = 1; e <= edits && e <= elements; e++) {
    store<f64>(now + (e * LEVEL_STATES + e) * 8, at(now, e - 1, e - 1) * missingOf(classes, ids, e - 1, missingAny))
  }
  if (edits > 0 && elements > 0) s1 = 2
  if (edits > 1 && elements > 1) s2 = 4
  let states: u32 = 0
  for (let i: u32 = 0; i < length; i++) {
    const code = <u32>load<u8>(codes + i)
    const taken = load<u32>(order + (code << 2), AUTOMATON_TAKES)
    const remaining = length - i - 1
    let n0: u32 = 0
    let n1: u32 = 0
    let n2: u32 = 0
    for (let e: u32 = 0; e <= edits; e++) {
      const here = e == 0 ? s0 : e == 1 ? s1 : s2
      const less = e == 0 ? 0 : e == 1 ? s0 : s1
      const lessNow = e == 0 ? 0 : e == 1 ? n0 : n1
      const left = edits - e
      let made: u32 = 0
      const reachable = ((here & taken) << 1) | (here & stars) | less | (less << 1) | (lessNow << 1)
      const able = reachable & endings(table, remaining, left)
      states += popcnt(able)
      for (let todo = able; todo != 0; todo &= todo - 1) {
        const j = ctz(todo)
        const bit: u32 = 1 << j
        let p: f64 = here & stars & bit ? at(now, e, j) : 0
        if (j > 0) {
          const before = bit >> 1
          const id = <u32>load<u8>(ids + j - 1)
          if ((here | less) & before) {
            const weight = id == ANY ? 1 : load<f64>(classes + id * CLASS_BYTES + (code << 3), CLASS_WEIGHTS)
            if (taken & before) {
              if (here & before) p = Math.max(p, at(now, e, j - 1) * weight)
            } else if (less & before) p = Math.max(p, at(now, e - 1, j - 1) * weight)
          }
          if (lessNow & before) {
            p = Math.max(p, at(next, e - 1, j - 1) * missingOf(classes, ids, j - 1, missingAny))
          }
        }
        if (less & bit) p = Math.max(p, at(now, e - 1, j) * extra)
        // the bound of the errors that the rest needs
        let most = p
        if (left > 0 && !(endings(table, remaining, 0) & bit)) {
          most *= left > 1 && !(endings(table, remaining, 1) & bit) ? error * error : error
        }
        if (most < least || p == 0) continue
        store<f64>(next + (e * LEVEL_STATES + j) * 8, p)
        made |= bit
      }
      if (e == 0) n0 = made
      else if (e == 1) n1 = made
      else n2 = made
    }
    s0 = n0
    s1 = n1
    s2 = n2
    if ((s0 | s1 | s2) == 0) break
    const other = now
    now = next
    next = other
  }
  addWork(states * SCORE_UNITS)
  const end: u32 = 1 << elements
  let best: f64 = s0 & end ? at(now, 0, elements) : 0
  if (s1 & end) best = Math.max(best, at(now, 1, elements))
  if (s2 & end) best = Math.max(best, at(now, 2, elements))
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

/**
 * One run, or none (`run` after the last element): the elements before it are at the beginning of the plate, those
 * after it at the end.
 */
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

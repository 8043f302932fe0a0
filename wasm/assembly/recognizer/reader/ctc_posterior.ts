import { CLASSES, MAX_COLUMNS, MAX_TEXT } from '../layout'

/**
 * Posteriors of each position of a text, given the reader's columns: for position i and class c the exact CTC
 * probability of the text with c in place of its character i (class 0: without that character), normalised.
 *
 * One forward and one backward pass over the text give, for every column, the sums before and after a position; a
 * substituted character then needs one pass over the columns of its own state only.
 *
 *     states of a text of n characters: 2n + 1;  even = blank, 2i + 1 = character i
 *     alpha[t][s]  sum of all paths through columns 0..t that end in state s
 *     beta[t][s]   sum of all continuations through columns t+1.. from state s
 */
const STATES: u32 = 2 * 12 + 1
const alpha: usize = memory.data(128 * 25 * 8, 8)
const beta: usize = memory.data(128 * 25 * 8, 8)
/** Classes of the text, and of the text without one character. */
const text: usize = memory.data(16, 8)
const shorter: usize = memory.data(16, 8)

@inline
function alphaAt(t: u32, s: u32): usize {
  return alpha + (t * STATES + s) * 8
}

@inline
function betaAt(t: u32, s: u32): usize {
  return beta + (t * STATES + s) * 8
}

/**
 * `probabilities`: f64 [columns][37]; `classes`: u8 [length], 1..36; `out`: f64 [length][37], filled. length 1..12,
 * columns 1..128.
 */
export function positionPosteriors(probabilities: usize, columns: u32, classes: usize, length: u32, out: usize): void {
  if (length == 0 || length > MAX_TEXT || columns == 0 || columns > MAX_COLUMNS) return
  memory.copy(text, classes, length)
  forward(probabilities, columns, text, length)
  backward(probabilities, columns, length)
  for (let i: u32 = 0; i < length; i++) {
    const row = out + i * CLASSES * 8
    for (let c: u32 = 1; c < CLASSES; c++) store<f64>(row + c * 8, substituted(probabilities, columns, length, i, c))
  }
  for (let i: u32 = 0; i < length; i++) {
    memory.copy(shorter, text, i)
    memory.copy(shorter + i, text + i + 1, length - 1 - i)
    const row = out + i * CLASSES * 8
    store<f64>(row, forward(probabilities, columns, shorter, length - 1))
    normalise(row)
  }
}

/** Probability of a text of 0 to 12 classes, over all alignments. */
export function textProbability(probabilities: usize, columns: u32, characters: usize, length: u32): f64 {
  return forward(probabilities, columns, characters, length)
}

function normalise(row: usize): void {
  let sum: f64 = 0
  for (let c: u32 = 0; c < CLASSES; c++) sum += load<f64>(row + c * 8)
  for (let c: u32 = 0; c < CLASSES; c++) {
    store<f64>(row + c * 8, sum > 0 ? load<f64>(row + c * 8) / sum : 1.0 / <f64>CLASSES)
  }
}

@inline
function stateClass(characters: usize, s: u32): u32 {
  return s & 1 ? load<u8>(characters + (s >> 1)) : 0
}

/** Whether a path may skip the blank between states s - 2 and s: only between different characters. */
@inline
function maySkip(characters: usize, s: u32): bool {
  return s >= 3 && (s & 1) == 1 && load<u8>(characters + (s >> 1)) != load<u8>(characters + (s >> 1) - 1)
}

/**
 * For the text of the last forward pass, u32 each: offset of each state's class in a column, and 1 where a path may
 * skip the preceding blank.
 */
const stateOffsets: usize = memory.data(25 * 4, 4)
const stateSkips: usize = memory.data(25 * 4, 4)

/** Fills alpha; returns the probability of the text. */
function forward(probabilities: usize, columns: u32, characters: usize, length: u32): f64 {
  const states: u32 = 2 * length + 1
  for (let s: u32 = 0; s < states; s++) {
    store<u32>(stateOffsets + s * 4, stateClass(characters, s) * 8)
    store<u32>(stateSkips + s * 4, maySkip(characters, s) ? 1 : 0)
    store<f64>(alphaAt(0, s), s < 2 ? load<f64>(probabilities + load<u32>(stateOffsets + s * 4)) : 0)
  }
  for (let t: u32 = 1; t < columns; t++) {
    forwardColumn(probabilities + t * CLASSES * 8, alphaAt(t - 1, 0), alphaAt(t, 0), states)
  }
  const last = load<f64>(alphaAt(columns - 1, states - 1))
  return states > 1 ? last + load<f64>(alphaAt(columns - 1, states - 2)) : last
}

function forwardColumn(p: usize, before: usize, after: usize, states: u32): void {
  let previous: f64 = 0
  let previous2: f64 = 0
  for (let s: u32 = 0; s < states; s++) {
    const stay = load<f64>(before + s * 8)
    let sum = stay + previous
    if (load<u32>(stateSkips + s * 4)) sum += previous2
    store<f64>(after + s * 8, sum * load<f64>(p + load<u32>(stateOffsets + s * 4)))
    previous2 = previous
    previous = stay
  }
}

/** Fills beta for `text`. */
function backward(probabilities: usize, columns: u32, length: u32): void {
  const states: u32 = 2 * length + 1
  for (let s: u32 = 0; s < states; s++) store<f64>(betaAt(columns - 1, s), s + 2 >= states ? 1 : 0)
  for (let t: i32 = <i32>columns - 2; t >= 0; t--) {
    const p = probabilities + (t + 1) * CLASSES * 8
    for (let s: u32 = 0; s < states; s++) {
      let sum = load<f64>(betaAt(t + 1, s)) * load<f64>(p + stateClass(text, s) * 8)
      if (s + 1 < states) sum += load<f64>(betaAt(t + 1, s + 1)) * load<f64>(p + stateClass(text, s + 1) * 8)
      if (s + 2 < states && maySkip(text, s + 2)) {
        sum += load<f64>(betaAt(t + 1, s + 2)) * load<f64>(p + stateClass(text, s + 2) * 8)
      }
      store<f64>(betaAt(t, s), sum)
    }
  }
}

/** Probability of the text with class `c` as character `i`. */
function substituted(probabilities: usize, columns: u32, length: u32, i: u32, c: u32): f64 {
  const s = 2 * i + 1
  const skipsIn = i > 0 && load<u8>(text + i - 1) != c
  const hasNext = i + 1 < length
  const following: u32 = hasNext ? load<u8>(text + i + 1) : 0
  const skipsOut = hasNext && following != c
  let inside: f64 = 0
  let total: f64 = 0
  for (let t: u32 = 0; t < columns; t++) {
    let sum = inside
    if (t == 0) {
      if (i == 0) sum += 1
    } else {
      sum += load<f64>(alphaAt(t - 1, s - 1))
      if (skipsIn) sum += load<f64>(alphaAt(t - 1, s - 2))
    }
    inside = sum * load<f64>(probabilities + (t * CLASSES + c) * 8)
    if (t + 1 == columns) {
      if (!hasNext) total += inside
    } else {
      const p = probabilities + (t + 1) * CLASSES * 8
      let leaves = load<f64>(betaAt(t + 1, s + 1)) * load<f64>(p)
      if (skipsOut) leaves += load<f64>(betaAt(t + 1, s + 2)) * load<f64>(p + following * 8)
      total += inside * leaves
    }
  }
  return total
}

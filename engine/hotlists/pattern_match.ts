import { CHARACTERS, NONE, type ConfusionModel, type Pattern } from '../../wasm/mod.js'
import { ordersOf } from '../../wasm/mod.js'
import type { Tolerated } from '../model/hit.js'

/** The most probable way in which a read satisfies a pattern. */
export interface PatternMatch {
  /** 0 to 1, calibrated. */
  probability: number
  tolerated: Tolerated[]
  /** Every character that the pattern names is the read's top choice there. */
  exact: boolean
}

/** What an error that the pattern allows to the witness costs. */
const WITNESS_ERROR = 0.1

/** A state of the alignment and the best way to it. */
interface Cell {
  p: number
  /** Index of the previous cell, -1 at the start. */
  from: number
  step: Tolerated | undefined
}

/** A read, prepared for many alignments. */
interface PreparedRead {
  positions: readonly Float32Array[]
  /** By position: probability that the plate has each character, given what was read there. */
  emissions: Float64Array[]
  /** By position: the most probable character. */
  tops: number[]
}

/**
 * Matches a pattern against the distribution of a read, under the confusion model: the probability of an element at a
 * position is
 *
 *     sum over the characters that the element takes of P(the plate has it | what was read there)
 *
 * so 'an 8 or a B' is as probable as both together. Extra and missing characters of the *reader* cost their probability
 * and may occur once each, whether the pattern allows errors or not. `~k` also allows k errors of the witness: an
 * element may be wrong at a fixed cost.
 * @param positions probabilities by position (37 each)
 * @returns undefined when the read cannot satisfy the pattern
 */
export function matchPattern(
  positions: readonly Float32Array[],
  pattern: Pattern,
  model: ConfusionModel,
): PatternMatch | undefined {
  const read = { positions, emissions: positions.map((p) => emissionsOf(p, model)), tops: positions.map(topOf) }
  let best: PatternMatch | undefined
  for (const order of ordersOf(pattern))
    best = matchOrder(read, order, pattern.edits, model.data, best?.probability ?? 0) ?? best
  return best && { ...best, probability: model.calibrate(best.probability) }
}

type Order = ReturnType<typeof ordersOf>[number]

/**
 * Aligns one order of the pattern's fragments with the read, by dynamic programming over (position of the read, errors
 * of the witness used, element of the pattern).
 * @returns the best match, not calibrated; undefined when none is more probable than `floor`
 */
function matchOrder(
  { positions, emissions, tops }: PreparedRead,
  { elements, stars }: Order,
  edits: number,
  reader: ConfusionModel['data'],
  floor: number,
): PatternMatch | undefined {
  const n = positions.length
  const width = elements.length + 1
  const levels = edits + 1
  const layer = width * levels
  const cells = new Array<Cell | undefined>(layer * (n + 1))
  const raise = (to: number, p: number, from: number, step?: Tolerated) => {
    if (p > (cells[to]?.p ?? 0)) cells[to] = { p, from, step }
  }
  cells[0] = { p: 1, from: -1, step: undefined }
  for (let i = 0; i <= n; i++) {
    for (let e = 0; e < levels; e++) {
      for (let j = 0; j <= elements.length; j++) {
        const here = i * layer + e * width + j
        const p = cells[here]?.p
        if (p === undefined) continue
        const mayErr = e + 1 < levels
        const element = elements[j]
        const wanted = element?.classes === undefined ? '?' : [...element.classes].map((c) => CHARACTERS[c]).join('')
        if (element) {
          // The read lacks this element.
          const share = element.classes === undefined ? 1 : element.classes.size / CHARACTERS.length
          const missing = reader.missing * share
          raise(here + 1, p * missing, here, tolerate(j, '', wanted, missing))
          if (mayErr) raise(here + width + 1, p * WITNESS_ERROR, here, tolerate(j, '', wanted, WITNESS_ERROR))
        }
        if (i === n) continue
        // The read has a character too many, or a star takes it.
        const none = positions[i]![NONE]!
        const skip = none + reader.extra * (1 - none)
        const read = CHARACTERS[tops[i]!]!
        raise(here + layer, p * skip, here, none > 0.5 ? undefined : tolerate(j, read, '', skip))
        if ((stars >> j) & 1) raise(here + layer, p * (1 - none), here)
        if (mayErr) raise(here + layer + width, p * WITNESS_ERROR, here, tolerate(j, read, '', WITNESS_ERROR))
        if (!element) continue
        // The element takes the character.
        let taken = 0
        if (element.classes === undefined) taken = 1 - none
        else for (const c of element.classes) taken += emissions[i]![c]!
        const alike = element.classes === undefined || element.classes.has(tops[i]!)
        raise(here + layer + 1, p * taken, here, alike ? undefined : tolerate(j, read, wanted, taken))
        if (mayErr) raise(here + layer + width + 1, p * WITNESS_ERROR, here, tolerate(j, read, wanted, WITNESS_ERROR))
      }
    }
  }
  return bestEnd(cells, n * layer + elements.length, width, levels, floor)
}

const tolerate = (position: number, read: string, listed: string, probability: number): Tolerated => ({
  position,
  read,
  listed,
  probability,
})

/** The most probable of the final cells, one for each number of witness errors, with the steps that led to it. */
function bestEnd(
  cells: readonly (Cell | undefined)[],
  first: number,
  width: number,
  levels: number,
  floor: number,
): PatternMatch | undefined {
  let end: Cell | undefined
  for (let e = 0; e < levels; e++) {
    const cell = cells[first + e * width]
    if (cell && cell.p > (end?.p ?? floor)) end = cell
  }
  if (!end) return undefined
  const tolerated: Tolerated[] = []
  for (let cell = end; cell.from >= 0; cell = cells[cell.from]!) if (cell.step) tolerated.push(cell.step)
  return { probability: end.p, tolerated: tolerated.reverse(), exact: tolerated.length === 0 }
}

function emissionsOf(position: Float32Array, model: ConfusionModel): Float64Array {
  const row = new Float64Array(NONE)
  for (let r = 0; r < NONE; r++) {
    const p = position[r]!
    if (p === 0) continue
    for (let c = 0; c < NONE; c++) row[c]! += p * model.matrix[r * NONE + c]!
  }
  return row
}

function topOf(position: Float32Array): number {
  let top = 0
  for (let c = 1; c < NONE; c++) if (position[c]! > position[top]!) top = c
  return top
}

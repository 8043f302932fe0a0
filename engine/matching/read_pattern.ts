import { CHARACTERS, NONE, ordersOf, type ConfusionModel, type Pattern } from '../../wasm/mod.js'
import type { Tolerated } from '../hit.js'

/** The best way in which a read may satisfy a pattern. */
export interface PatternHit {
  /** 0..1, calibrated. */
  probability: number
  tolerated: Tolerated[]
  /** Every told character was what was surely read. */
  exact: boolean
}

interface Cell {
  p: number
  from: number
  step: Tolerated | undefined
}

/**
 * Holds a pattern against the distribution of a read, under the one confusion model: the probability of an element at a
 * position is
 *
 *     sum over the characters that the element takes of P(the plate has it | what was read there)
 *
 * so 'an 8 or a B' is as sure as both together. Extra and missing characters of the *reader* cost their probability and
 * may occur once each whatever the pattern allows; `~k` allows k errors of the witness too: an element may be wrong at
 * the cost of one.
 * @param positions 37 probabilities each
 */
export function holdAgainst(
  positions: readonly Float32Array[],
  pattern: Pattern,
  model: ConfusionModel,
): PatternHit | undefined {
  const emissions = positions.map((p) => emissionsOf(p, model))
  const tops = positions.map(topOf)
  let best: PatternHit | undefined
  for (const { elements, stars } of ordersOf(pattern)) {
    const n = positions.length
    const width = elements.length + 1
    const levels = pattern.edits + 1
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
          const element = elements[j]
          const wanted = element?.classes === undefined ? '?' : [...element.classes].map((c) => CHARACTERS[c]).join('')
          if (element) {
            const share = element.classes === undefined ? 1 : element.classes.size / CHARACTERS.length
            const missing = model.data.missing * share
            raise(here + 1, p * missing, here, { position: j, read: '', listed: wanted, probability: missing })
            if (e + 1 < levels)
              raise(here + width + 1, p * WITNESS, here, {
                position: j,
                read: '',
                listed: wanted,
                probability: WITNESS,
              })
          }
          if (i === n) continue
          const none = positions[i]![NONE]!
          const skip = none + model.data.extra * (1 - none)
          const read = CHARACTERS[tops[i]!]!
          raise(
            here + layer,
            p * skip,
            here,
            none > 0.5 ? undefined : { position: j, read, listed: '', probability: skip },
          )
          if ((stars >> j) & 1) raise(here + layer, p * (1 - none), here)
          if (e + 1 < levels)
            raise(here + layer + width, p * WITNESS, here, { position: j, read, listed: '', probability: WITNESS })
          if (!element) continue
          let taken = 0
          if (element.classes === undefined) taken = 1 - none
          else for (const c of element.classes) taken += emissions[i]![c]!
          const alike = element.classes === undefined || element.classes.has(tops[i]!)
          raise(
            here + layer + 1,
            p * taken,
            here,
            alike ? undefined : { position: j, read, listed: wanted, probability: taken },
          )
          if (e + 1 < levels)
            raise(here + layer + width + 1, p * WITNESS, here, {
              position: j,
              read,
              listed: wanted,
              probability: WITNESS,
            })
        }
      }
    }
    for (let e = 0; e < levels; e++) {
      const end = n * layer + e * width + elements.length
      const p = cells[end]?.p ?? 0
      if (p <= (best?.probability ?? 0)) continue
      const tolerated: Tolerated[] = []
      for (let cell = cells[end]!; cell.from >= 0; cell = cells[cell.from]!) if (cell.step) tolerated.push(cell.step)
      best = { probability: p, tolerated: tolerated.reverse(), exact: tolerated.length === 0 }
    }
  }
  return best && { ...best, probability: model.calibrate(best.probability) }
}

/** What an error that the pattern allows to the witness costs. */
const WITNESS = 0.1

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

import { CHARACTERS } from '../detection.js'
import type { ConfusionModel } from './confusion_model.js'
import { meaningOf, ordersOf, type Meaning } from './meaning.js'
import type { Fragment, Pattern } from './pattern.js'

/** One place where a stored plate and a pattern differ, and what was tolerated. */
export interface PatternTolerance {
  /** `look-alike`: taken without an error; the others count as one each. */
  kind: 'look-alike' | 'misread' | 'missing' | 'extra'
  /** 0-based position in the stored plate; of a missing character the one it stands before. */
  position: number
  /** Character stored, empty when it is missing. */
  read: string
  /** Characters that the pattern wants there, empty for an extra one; `?` for any. */
  wanted: string
  probability: number
}

export interface Alignment {
  /** That a plate stored with this text satisfies the pattern, 0..1 (of the model, not calibrated). */
  probability: number
  tolerated: PatternTolerance[]
}

interface Cell {
  p: number
  from: number
  step: PatternTolerance | undefined
}

/** A pattern under a confusion model, ready to be held against single plates: for explanations, and for the few plates that no lane takes. */
export class PatternAligner {
  private readonly orders: { fragment: Fragment; meanings: Meaning[] }[]

  constructor(private readonly pattern: Pattern, private readonly model: ConfusionModel, lookAlikes: boolean) {
    this.orders = ordersOf(pattern).map((fragment) => ({ fragment, meanings: fragment.elements.map((element) => meaningOf(element, model, lookAlikes)) }))
  }

  /** The best alignment, or nothing when the plate does not match. @param plate `[A-Z0-9]`, any length */
  align(plate: string): Alignment | undefined {
    let best: Alignment | undefined
    for (const order of this.orders) {
      const one = this.alignOrder(order.fragment, order.meanings, plate)
      if (one && (best === undefined || one.probability > best.probability)) best = one
    }
    return best
  }

  /** Cells by characters behind us, errors made and elements behind us. */
  private alignOrder({ elements, stars }: Fragment, meanings: readonly Meaning[], plate: string): Alignment | undefined {
    const { edits } = this.pattern
    const { extra } = this.model.data
    const width = elements.length + 1
    const layer = width * (edits + 1)
    const cells = new Array<Cell | undefined>(layer * (plate.length + 1))
    const at = (i: number, e: number, j: number) => i * layer + e * width + j
    const raise = (to: number, p: number, from: number, step?: PatternTolerance) => { if (p > (cells[to]?.p ?? 0)) cells[to] = { p, from, step } }
    cells[0] = { p: 1, from: -1, step: undefined }
    for (let i = 0; i <= plate.length; i++) {
      for (let e = 0; e <= edits; e++) {
        for (let j = 0; j <= elements.length; j++) {
          const here = at(i, e, j)
          const p = cells[here]?.p
          if (p === undefined) continue
          const element = elements[j]
          const wanted = element === undefined ? '' : element.classes === undefined ? '?' : [...element.classes].map((c) => CHARACTERS[c]).join('')
          if (element && e < edits) {
            const missing = meanings[j]!.missing
            raise(at(i, e + 1, j + 1), p * missing, here, { kind: 'missing', position: i, read: '', wanted, probability: missing })
          }
          if (i === plate.length) continue
          const read = plate[i]!
          if ((stars >> j) & 1) raise(at(i + 1, e, j), p, here)
          if (e < edits) raise(at(i + 1, e + 1, j), p * extra, here, { kind: 'extra', position: i, read, wanted: '', probability: extra })
          if (!element) continue
          const c = CHARACTERS.indexOf(read)
          const meaning = meanings[j]!
          const weight = meaning.weights[c]!
          if (meaning.takes.has(c)) {
            const alike = element.classes !== undefined && !element.classes.has(c)
            raise(at(i + 1, e, j + 1), p * weight, here, alike ? { kind: 'look-alike', position: i, read, wanted, probability: weight } : undefined)
          } else if (e < edits) {
            raise(at(i + 1, e + 1, j + 1), p * weight, here, { kind: 'misread', position: i, read, wanted, probability: weight })
          }
        }
      }
    }
    let end: number | undefined
    for (let e = 0; e <= edits; e++) {
      const one = at(plate.length, e, elements.length)
      if (cells[one] && (end === undefined || cells[one]!.p > cells[end]!.p)) end = one
    }
    if (end === undefined) return undefined
    const tolerated: PatternTolerance[] = []
    for (let cell = cells[end]!; cell.from >= 0; cell = cells[cell.from]!) if (cell.step) tolerated.push(cell.step)
    return { probability: cells[end]!.p, tolerated: tolerated.reverse() }
  }
}

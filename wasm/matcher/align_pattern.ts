import { CHARACTERS } from '../classes.js'
import type { ConfusionModel } from './confusion_model.js'
import { semanticsOf, ordersOf, type ElementSemantics } from './pattern_semantics.js'
import type { Fragment, Pattern } from './pattern.js'

/** A tolerated difference between a stored plate and a pattern. */
export interface PatternTolerance {
  /** A `look-alike` is not an error; the others count as one error each. */
  kind: 'look-alike' | 'misread' | 'missing' | 'extra'
  /** 0-based position in the stored plate; for a missing character, the position it precedes. */
  position: number
  /** Stored character; empty when it is missing. */
  read: string
  /** Characters that the pattern accepts there, `?` for any; empty for an extra character. */
  wanted: string
  probability: number
}

export interface Alignment {
  /** P(a plate stored with this text satisfies the pattern), 0..1, not calibrated. */
  probability: number
  tolerated: PatternTolerance[]
}

/** An order of the fragments, with the semantics of its elements and their characters as text (`?` for any). */
interface Order {
  fragment: Fragment
  semantics: ElementSemantics[]
  wanted: string[]
}

/** The last step to a cell. */
const BEGIN = 0
const TAKEN = 1
const RUN = 2
const LOOK_ALIKE = 3
const MISREAD = 4
const EXTRA = 5
const MISSING = 6
const KINDS = { [LOOK_ALIKE]: 'look-alike', [MISREAD]: 'misread', [EXTRA]: 'extra', [MISSING]: 'missing' } as const

/**
 * A pattern under a confusion model, aligned with single plates: for explanations, and for the few plates that are too
 * long for blocks.
 */
export class PatternAligner {
  private readonly orders: Order[]
  // cells by characters consumed, errors made and elements consumed; kept, because a page aligns a hundred plates
  private probabilities = new Float64Array(0)
  private reached = new Uint8Array(0)

  constructor(
    private readonly pattern: Pattern,
    private readonly model: ConfusionModel,
    lookAlikes: boolean,
  ) {
    this.orders = ordersOf(pattern).map((fragment) => ({
      fragment,
      semantics: fragment.elements.map((element) => semanticsOf(element, model, lookAlikes)),
      wanted: fragment.elements.map(({ classes }) =>
        classes === undefined ? '?' : [...classes].map((c) => CHARACTERS[c]).join(''),
      ),
    }))
  }

  /** The best alignment; undefined when the plate does not match. @param plate `[A-Z0-9]`, any length */
  align(plate: string): Alignment | undefined {
    let best: Alignment | undefined
    for (const order of this.orders) {
      const one = this.alignOrder(order, plate)
      if (one && (best === undefined || one.probability > best.probability)) best = one
    }
    return best
  }

  private alignOrder(
    { fragment: { elements, stars }, semantics, wanted }: Order,
    plate: string,
  ): Alignment | undefined {
    const { edits } = this.pattern
    const { extra } = this.model.data
    const width = elements.length + 1
    const layer = width * (edits + 1)
    const size = layer * (plate.length + 1)
    if (this.probabilities.length < size) {
      this.probabilities = new Float64Array(size)
      this.reached = new Uint8Array(size)
    }
    const { probabilities, reached } = this
    probabilities.fill(0, 0, size)
    const raise = (to: number, p: number, how: number) => {
      if (p <= probabilities[to]!) return
      probabilities[to] = p
      reached[to] = how
    }
    probabilities[0] = 1
    reached[0] = BEGIN
    for (let i = 0; i <= plate.length; i++) {
      const c = i < plate.length ? CHARACTERS.indexOf(plate[i]!) : -1
      for (let e = 0; e <= edits; e++) {
        for (let j = 0; j <= elements.length; j++) {
          const here = i * layer + e * width + j
          const p = probabilities[here]!
          if (p === 0) continue
          if (j < elements.length && e < edits) raise(here + width + 1, p * semantics[j]!.missing, MISSING)
          if (i === plate.length) continue
          if ((stars >> j) & 1) raise(here + layer, p, RUN)
          if (e < edits) raise(here + layer + width, p * extra, EXTRA)
          if (j === elements.length) continue
          const { takes, weights } = semantics[j]!
          const { classes } = elements[j]!
          if (takes.has(c))
            raise(here + layer + 1, p * weights[c]!, classes !== undefined && !classes.has(c) ? LOOK_ALIKE : TAKEN)
          else if (e < edits) raise(here + layer + width + 1, p * weights[c]!, MISREAD)
        }
      }
    }
    let end = -1
    for (let e = 0; e <= edits; e++) {
      const one = plate.length * layer + e * width + elements.length
      if (probabilities[one]! > (end < 0 ? 0 : probabilities[end]!)) end = one
    }
    if (end < 0) return undefined
    const tolerated: PatternTolerance[] = []
    for (let cell = end; reached[cell] !== BEGIN; ) {
      const how = reached[cell]!
      const consumes = how !== MISSING
      const before =
        cell -
        (consumes ? layer : 0) -
        (how === MISREAD || how === EXTRA || how === MISSING ? width : 0) -
        (how === RUN || how === EXTRA ? 0 : 1)
      if (how >= LOOK_ALIKE) {
        const position = Math.floor(before / layer)
        const j = before % width
        const read = consumes ? plate[position]! : ''
        const { missing, weights } = semantics[j] ?? { missing: 0, weights: undefined }
        const probability = how === EXTRA ? extra : how === MISSING ? missing : weights![CHARACTERS.indexOf(read)]!
        tolerated.push({
          kind: KINDS[how as keyof typeof KINDS],
          position,
          read,
          wanted: how === EXTRA ? '' : wanted[j]!,
          probability,
        })
      }
      cell = before
    }
    return { probability: probabilities[end]!, tolerated: tolerated.reverse() }
  }
}

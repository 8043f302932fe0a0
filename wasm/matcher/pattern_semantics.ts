import { CHARACTERS } from '../classes.js'
import type { ConfusionModel } from './confusion_model.js'
import type { Element, Fragment, Pattern } from './pattern.js'

/** What a pattern element matches under a confusion model. */
export interface ElementSemantics {
  /** Classes accepted without an error: its own and, with look-alikes on, those that are read in place of its own. */
  readonly takes: ReadonlySet<number>
  /** For each class: P(a character of the element is on the plate | the reader read this class). */
  readonly weights: Float64Array
  /** P(a character of the element is on the plate and was not read). */
  readonly missing: number
}

/** @param lookAlikes whether look-alikes match without an error */
export function semanticsOf(element: Element, model: ConfusionModel, lookAlikes: boolean): ElementSemantics {
  const { missing } = model.data
  if (element.classes === undefined)
    return {
      takes: new Set(CHARACTERS.split('').map((_, c) => c)),
      weights: new Float64Array(CHARACTERS.length).fill(1),
      missing,
    }
  const takes = new Set(element.classes)
  const weights = new Float64Array(CHARACTERS.length)
  const classes = [...element.classes].sort((a, b) => a - b)
  for (let read = 0; read < CHARACTERS.length; read++) {
    for (const truth of classes) {
      weights[read]! += model.probability(read, truth)
      if (lookAlikes && model.alike(read, truth)) takes.add(read)
    }
  }
  return { takes, weights, missing: missing * (classes.length / CHARACTERS.length) }
}

/** The whole pattern as single fragments: one, or with `&` one per order of its fragments, with runs around them. */
export function ordersOf(pattern: Pattern): Fragment[] {
  if (pattern.fragments.length === 1) return [pattern.fragments[0]!]
  return permutations(pattern.fragments).map((order) => {
    const elements: Element[] = []
    let stars = 0
    for (const fragment of order) {
      stars |= 1 << elements.length
      elements.push(...fragment.elements)
    }
    return { elements, stars: stars | (1 << elements.length) }
  })
}

function permutations<T>(values: readonly T[]): T[][] {
  if (values.length <= 1) return [[...values]]
  return values.flatMap((value, i) =>
    permutations([...values.slice(0, i), ...values.slice(i + 1)]).map((rest) => [value, ...rest]),
  )
}

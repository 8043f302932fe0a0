import { readFileSync } from 'node:fs'
import { wasmPath } from '../../wasm/load_node.js'
import {
  CHARACTERS,
  ConfusionModel,
  semanticsOf,
  ordersOf,
  parsePattern as parse,
  PatternAligner,
  PlateSyntax,
  WasmError,
  type Pattern,
  type PatternTolerance,
} from '../../wasm/mod.js'
import { AlprError } from '../errors.js'

export type { Pattern } from '../../wasm/mod.js'

let loaded: ConfusionModel | undefined
/**
 * Which characters the recognizer confuses; the same data as the dictionary's, so that SQL and dictionary find the same
 * plates.
 */
export const confusionModel = (): ConfusionModel =>
  (loaded ??= ConfusionModel.of(JSON.parse(readFileSync(wasmPath('confusions.json'), 'utf8'))))

let syntax: PlateSyntax | undefined
/** Plate formats by region. */
export const plateSyntax = (): PlateSyntax =>
  (syntax ??= PlateSyntax.of(JSON.parse(readFileSync(wasmPath('plate_syntax.json'), 'utf8'))))

/**
 * Parses a pattern as the matcher does.
 * @throws ALPR_ERR_PATTERN_EMPTY, ALPR_ERR_PATTERN_TOO_LONG, ALPR_ERR_PATTERN_INVALID with the position
 */
export function parsePattern(source: string): Pattern {
  try {
    return parse(source)
  } catch (error) {
    if (error instanceof WasmError) throw new AlprError(error.code, error.details, { cause: error })
    throw error
  }
}

/**
 * The pattern as one RE2 expression for ClickHouse that matches exactly the same texts, including misreads.
 * @param lookAlikes whether look-alikes count as equal
 */
export function regexOf(pattern: Pattern, lookAlikes: boolean): string {
  const orders = ordersOf(pattern).map(({ elements, stars }) => {
    const texts = elements.map((element) =>
      classText(element.classes === undefined ? undefined : semanticsOf(element, confusionModel(), lookAlikes).takes),
    )
    return expressionOf(texts, stars, pattern.edits)
  })
  return `^(?:${orders.join('|')})$`
}

/**
 * Nanoseconds that the store needs more than usual to match a text against the pattern, roughly, as measured on one
 * core. RE2 is quick until its automaton has too many states, which only fragments in any order bring about: then a
 * text costs in proportion to the length of the expression, and the more the more characters its elements accept.
 */
export function matchingNs(pattern: Pattern, lookAlikes: boolean): number {
  const { length } = regexOf(pattern, lookAlikes)
  if (pattern.fragments.length === 1 || length <= QUICK_LENGTH) return 0
  const elements = pattern.fragments.flatMap((fragment) => fragment.elements)
  const taken = elements.map((element) => semanticsOf(element, confusionModel(), lookAlikes).takes.size)
  const share = taken.reduce((sum, one) => sum + one, 0) / (taken.length * CHARACTERS.length)
  return length * (0.5 + 150 * share ** 2)
}

/** Expressions up to this length are quick. */
const QUICK_LENGTH = 1_000

/** All ways to read the elements with at most `edits` errors; the size grows with length^(edits+1), to about 10 kB. */
function expressionOf(elements: readonly string[], stars: number, edits: number): string {
  const cache = new Map<string, string>()
  const rest = (j: number, left: number, star: boolean): string => {
    const key = `${j} ${left} ${star}`
    let text = cache.get(key)
    if (text !== undefined) return text
    if (star && (stars >> j) & 1) text = `.*${rest(j, left, false)}`
    else if (j === elements.length) text = left > 0 ? `.{0,${left}}` : ''
    else {
      const right = `${elements[j]}${rest(j + 1, left, true)}`
      text = left === 0 ? right : `(?:${right}|.?${rest(j + 1, left - 1, true)}|.${rest(j, left - 1, false)})`
    }
    cache.set(key, text)
    return text
  }
  return rest(0, edits, true)
}

function classText(takes: ReadonlySet<number> | undefined): string {
  if (takes === undefined || takes.size === CHARACTERS.length) return '.'
  const all = [...takes]
    .map((c) => CHARACTERS[c]!)
    .sort()
    .join('')
  return all.length === 1 ? all : `[${all}]`
}

/**
 * The probability, 0..1, that a stored text means a plate of the pattern, and the tolerated misreads; 0: impossible.
 */
export function alignments(
  pattern: Pattern,
  lookAlikes: boolean,
): (text: string) => { probability: number; tolerated: PatternTolerance[] } {
  const aligner = new PatternAligner(pattern, confusionModel(), lookAlikes)
  return (text) => {
    const alignment = aligner.align(text)
    return {
      probability: alignment ? confusionModel().calibrate(alignment.probability) : 0,
      tolerated: alignment?.tolerated ?? [],
    }
  }
}

/**
 * Disjoint groups of look-alikes, so that all readings of a plate have one key. Fewer than the matcher has (7 and Z, 4
 * and L, U and V are left out), because a key cannot express that 2 is like Z and Z like 7 but 2 not like 7.
 */
const LOOK_ALIKES = ['0OQD', '1ILT', '8B', '5S', '2Z', '6G', '4A', 'VY', 'MN'] as const
/** For `translate` of SQL: replaces each character of `from` by the one of `to` at the same index. */
export const CANONICAL = (() => {
  let from = ''
  let to = ''
  for (const group of LOOK_ALIKES)
    for (const char of group.slice(1)) {
      from += char
      to += group[0]
    }
  return { from, to }
})()

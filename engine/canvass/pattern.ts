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
 * What readers take for what; the same data as the dictionary's, so that an area searched first and a pattern searched
 * first give the same plates.
 */
export const confusionModel = (): ConfusionModel =>
  (loaded ??= ConfusionModel.of(JSON.parse(readFileSync(wasmPath('confusions.json'), 'utf8'))))

let syntax: PlateSyntax | undefined
/** What plates look like, by region. */
export const plateSyntax = (): PlateSyntax =>
  (syntax ??= PlateSyntax.of(JSON.parse(readFileSync(wasmPath('plate_syntax.json'), 'utf8'))))

/**
 * The matcher's own reading of a pattern. @throws ALPR_ERR_PATTERN_EMPTY, ALPR_ERR_PATTERN_TOO_LONG,
 * ALPR_ERR_PATTERN_INVALID with the position
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
 * The pattern as one RE2 expression that says exactly the same, misreads included, for ClickHouse.
 * @param lookAlikes whether look-alikes are taken without an error
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
 * All ways to read the elements with at most `edits` errors; its size grows with length^(edits+1), at most some 10 kB.
 */
function expressionOf(elements: readonly string[], stars: number, edits: number): string {
  const known = new Map<string, string>()
  const rest = (j: number, left: number, star: boolean): string => {
    const key = `${j} ${left} ${star}`
    let text = known.get(key)
    if (text !== undefined) return text
    if (star && (stars >> j) & 1) text = `.*${rest(j, left, false)}`
    else if (j === elements.length) text = left > 0 ? `.{0,${left}}` : ''
    else {
      const right = `${elements[j]}${rest(j + 1, left, true)}`
      text = left === 0 ? right : `(?:${right}|.?${rest(j + 1, left - 1, true)}|.${rest(j, left - 1, false)})`
    }
    known.set(key, text)
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
 * How probable it is that a stored text stands for a plate of the pattern, 0..1, and what was tolerated; 0 when it
 * cannot.
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
 * Groups of look-alikes of which no character is in two: "looks alike" then divides the characters, and all readings of
 * a plate have one key. Fewer than the matcher knows (7 and Z, 4 and L, U and V are left out), because one key cannot
 * say that 2 is like Z and Z like 7 but 2 not like 7.
 */
export const LOOK_ALIKES = ['0OQD', '1ILT', '8B', '5S', '2Z', '6G', '4A', 'VY', 'MN'] as const
/** For `translate`: each character of `from` by the one of `to` at its place. */
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

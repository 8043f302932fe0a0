import { CHARACTERS } from '../classes.js'
import { WasmError } from '../errors.js'
import { MAX_PLATE_LENGTH } from './alphabet.js'
import { plainCharacter } from './plate_text.js'

/**
 * A partial plate, as a witness or an investigator writes it (CAN-2):
 *
 *     pattern   = fragment { "&" fragment } [ "~" edits ] [ "@" region { "," region } ]
 *     fragment  = { character | "?" | "*" | "[" character { character | character "-" character } "]" }
 *     edits     = "0" | "1" | "2"
 *
 * `?` is one unknown character, `*` any run of characters (also an empty one), `[8B]` one of these. One fragment is the
 * whole plate, from its first to its last character; fragments joined by `&` occur anywhere, in any order, without
 * overlapping, with anything around them. `~k` allows k misread, missing or extra characters in total. Blanks and
 * dashes are ignored; lower case and look-alikes of other alphabets are replaced.
 */
export interface Pattern {
  /** As typed. */
  readonly source: string
  /** As understood, in canonical spelling. */
  readonly text: string
  readonly fragments: readonly Fragment[]
  /** Misread, missing or extra characters allowed in total, 0..2. */
  readonly edits: number
  /** Regions of issue, upper case; empty: any. */
  readonly regions: readonly string[]
}

export interface Fragment {
  readonly elements: readonly Element[]
  /** Bit j: any run of characters may precede element j; bit `elements.length`: may end the plate. */
  readonly stars: number
}

/** One character of a plate: the classes (0-9, A-Z) it may have; undefined: any. */
export interface Element {
  readonly classes: ReadonlySet<number> | undefined
  /** Position in the source, 1-based, UTF-16 units. */
  readonly at: number
}

/** Longest source in UTF-16 units, most fragments, most edits, most regions. */
export const MAX_SOURCE = 128
export const MAX_FRAGMENTS = 4
export const MAX_EDITS = 2
const MAX_REGIONS = 64

/** Hints for characters that other pattern languages use. */
const HINTS: Readonly<Record<string, string>> = {
  '.': '"?" is one unknown character',
  _: '"?" is one unknown character',
  '%': '"*" is any run of characters',
  '|': '"[8B]" is one of these characters',
  '^': 'a pattern is the whole plate; use "*" for the rest',
  $: 'a pattern is the whole plate; use "*" for the rest',
  '+': '"*" is any run of characters',
}
/** Ignored between characters. */
const IGNORED = /[\s\p{Pd}\p{Cf}\p{M}·•∙'"’‘“”]/u

/**
 * Parses a pattern. Time is linear in its length, which is bounded, as is its size: at most 16 elements in total, plus
 * the runs.
 * @throws ALPR_ERR_PATTERN_EMPTY, ALPR_ERR_PATTERN_TOO_LONG, ALPR_ERR_PATTERN_INVALID with `position` (1-based, UTF-16
 * units of the source)
 */
export function parsePattern(source: string): Pattern {
  if (source.length > MAX_SOURCE)
    throw new WasmError('ALPR_ERR_PATTERN_TOO_LONG', { length: source.length, limit: MAX_SOURCE, unit: 'characters' })
  const symbols = symbolsOf(source)
  const fragments: Fragment[] = []
  let edits: number | undefined
  let regions: string[] = []
  let draft = new Draft()
  let i = 0
  let star: number | undefined
  for (; i < symbols.length; i++) {
    const { symbol, at } = symbols[i]!
    if (symbol === '&') {
      star ??= draft.firstStar
      fragments.push(draft.done(at))
      if (fragments.length === MAX_FRAGMENTS) fail(at, `more than ${MAX_FRAGMENTS} fragments`)
      draft = new Draft()
    } else if (symbol === '[') {
      i = draft.bracket(symbols, i)
    } else if (symbol === '~' || symbol === '@') {
      break
    } else {
      draft.take(symbol, at)
    }
  }
  const end = source.length + 1
  const empty = fragments.length === 0 && draft.isEmpty
  if (!empty) fragments.push(draft.done(symbols[i]?.at ?? end))
  star ??= draft.firstStar
  if (fragments.length > 1 && star !== undefined)
    fail(star, 'with "&" each fragment may be anywhere, so "*" is not needed and not allowed')
  if (symbols[i]?.symbol === '~') {
    edits = editsOf(symbols[i + 1], symbols[i]!.at)
    i += 2
  }
  if (symbols[i]?.symbol === '@') {
    regions = regionsOf(symbols, i)
    i = symbols.length
  }
  if (i < symbols.length)
    fail(symbols[i]!.at, symbols[i]!.symbol === '~' ? '"~" occurs twice' : 'after "~" only "@" and regions may follow')
  if (empty) {
    if (regions.length === 0) throw new WasmError('ALPR_ERR_PATTERN_EMPTY')
    fragments.push({ elements: [], stars: 1 })
  }
  return whole(source, fragments, edits ?? 0, regions)
}

/** The fragment being parsed. */
class Draft {
  private readonly elements: Element[] = []
  private stars = 0
  firstStar: number | undefined

  get isEmpty(): boolean {
    return this.elements.length === 0 && this.stars === 0
  }

  take(symbol: string, at: number): void {
    if (symbol === '*') {
      this.stars |= 1 << this.elements.length
      this.firstStar ??= at
    } else if (symbol === '?') {
      this.add(undefined, at)
    } else if (CHARACTERS.includes(symbol)) {
      this.add(new Set([CHARACTERS.indexOf(symbol)]), at)
    } else if (symbol === ']') {
      fail(at, '"]" without "["')
    } else if (symbol === ',') {
      fail(at, '"," is allowed between regions only')
    } else {
      fail(at, `"${symbol}" has no meaning here${HINTS[symbol] ? `: ${HINTS[symbol]}` : ''}`)
    }
  }

  /** Parses `[8B]`, `[A-F]`. @returns the index of the closing bracket */
  bracket(symbols: readonly Symbol[], open: number): number {
    const classes = new Set<number>()
    let last: number | undefined
    for (let i = open + 1; i < symbols.length; i++) {
      const { symbol, at } = symbols[i]!
      if (symbol === ']') {
        if (classes.size === 0) fail(at, 'nothing between "[" and "]"')
        this.add(classes, symbols[open]!.at)
        return i
      }
      if (symbol === '-') {
        const to = CHARACTERS.indexOf(symbols[i + 1]?.symbol ?? '')
        if (last === undefined || to < 0 || (symbols[i + 1]?.symbol.length ?? 0) !== 1) continue
        if (to < last || last < 10 !== to < 10)
          fail(symbols[i + 1]!.at, 'a range must ascend, from a digit to a digit or from a letter to a letter')
        for (let c = last; c <= to; c++) classes.add(c)
        last = undefined
        i += 1
        continue
      }
      last = symbol.length === 1 ? CHARACTERS.indexOf(symbol) : -1
      if (last < 0)
        fail(
          at,
          symbol === '?' || symbol === '*'
            ? `"${symbol}" is not allowed between "[" and "]"`
            : `"${symbol}" is not a letter or digit`,
        )
      classes.add(last)
    }
    return fail(symbols[open]!.at, '"[" is not closed')
  }

  done(at: number): Fragment {
    if (this.isEmpty) fail(at, 'a fragment is empty')
    return { elements: this.elements, stars: this.stars }
  }

  private add(classes: Set<number> | undefined, at: number): void {
    if (this.elements.length >= MAX_PLATE_LENGTH)
      throw new WasmError('ALPR_ERR_PATTERN_TOO_LONG', {
        length: this.elements.length + 1,
        limit: MAX_PLATE_LENGTH,
        unit: 'plate characters',
      })
    this.elements.push({ classes: classes?.size === CHARACTERS.length ? undefined : classes, at })
  }
}

interface Symbol {
  symbol: string
  at: number
}

/**
 * One symbol for each significant character, with look-alikes and wide forms replaced. Dashes are kept in ranges only.
 */
function symbolsOf(source: string): Symbol[] {
  const symbols: Symbol[] = []
  let at = 1
  let inside = false
  let regions = false
  for (const character of source) {
    const plain = plainCharacter(character)
    if (plain !== undefined) {
      for (const symbol of plain) symbols.push({ symbol, at })
    } else {
      const symbol = character.normalize('NFKC')
      if (symbol === '[' || symbol === ']') inside = symbol === '['
      if (symbol === '@') regions = true
      if (/^\p{Pd}$/u.test(symbol) && (inside || regions)) symbols.push({ symbol: '-', at })
      else if (!IGNORED.test(symbol)) symbols.push({ symbol, at })
    }
    at += character.length
  }
  return symbols
}

function editsOf(symbol: Symbol | undefined, tilde: number): number {
  const edits = symbol && /^[0-9]$/.test(symbol.symbol) ? Number(symbol.symbol) : NaN
  if (!(edits <= MAX_EDITS))
    fail(symbol?.at ?? tilde, `after "~" comes the number of errors allowed, 0 to ${MAX_EDITS}`)
  return edits
}

function regionsOf(symbols: readonly Symbol[], from: number): string[] {
  const regions: string[] = []
  let region = ''
  for (let i = from + 1; i <= symbols.length; i++) {
    const symbol = symbols[i]
    if (symbol === undefined || symbol.symbol === ',') {
      if (!/^[A-Z0-9-]{1,15}$/.test(region))
        fail(symbol?.at ?? symbols[from]!.at, 'after "@" come regions such as CA or CA,NV')
      regions.push(region)
      region = ''
    } else if (symbol.symbol.length === 1 && /[A-Z0-9-]/.test(symbol.symbol)) {
      region += symbol.symbol
    } else {
      fail(symbol.at, `"${symbol.symbol}" is not a character of a region`)
    }
  }
  if (regions.length > MAX_REGIONS) fail(symbols[from]!.at, `more than ${MAX_REGIONS} regions`)
  return [...new Set(regions)]
}

/** The pattern, with its total length checked. */
function whole(source: string, fragments: Fragment[], edits: number, regions: string[]): Pattern {
  const length = fragments.reduce((sum, fragment) => sum + fragment.elements.length, 0)
  if (length > MAX_PLATE_LENGTH)
    throw new WasmError('ALPR_ERR_PATTERN_TOO_LONG', { length, limit: MAX_PLATE_LENGTH, unit: 'plate characters' })
  return { source, text: textOf(fragments, edits, regions), fragments, edits, regions }
}

function textOf(fragments: readonly Fragment[], edits: number, regions: readonly string[]): string {
  const texts = fragments.map(
    ({ elements, stars }) =>
      elements.map((element, j) => `${(stars >> j) & 1 ? '*' : ''}${elementText(element)}`).join('') +
      ((stars >> elements.length) & 1 ? '*' : ''),
  )
  return texts.join('&') + (edits > 0 ? `~${edits}` : '') + (regions.length > 0 ? `@${regions.join(',')}` : '')
}

function elementText({ classes }: Element): string {
  if (classes === undefined) return '?'
  const characters = [...classes]
    .sort((a, b) => a - b)
    .map((c) => CHARACTERS[c]!)
    .join('')
  return classes.size === 1 ? characters : `[${characters}]`
}

function fail(position: number, reason: string): never {
  throw new WasmError('ALPR_ERR_PATTERN_INVALID', { position, reason })
}

import { AlprError } from '../errors.js'

/**
 * Partial plates in SQL: the pattern of a witness as one RE2 expression that says exactly the same, misreads included. (The dictionary has a scan of its own;
 * both are held to one oracle.) Grammar: `?` one character, `*` any run, `[8B]` one of these, `&` between fragments in any order, `~1` or `~2` misreads,
 * `@CA,NV` regions.
 */
export interface Pattern {
  /** As it is understood. */
  text: string
  fragments: { elements: (ReadonlySet<string> | undefined)[]; /** Element before which any run may stand. */ stars: ReadonlySet<number> }[]
  edits: number
  regions: string[]
}

const MAX_SOURCE = 128
const MAX_ELEMENTS = 16
const MAX_FRAGMENTS = 4
const PLAIN = /[A-Z0-9]/

/** @throws ALPR_ERR_REQUEST_INVALID with the position, 1-based */
export function parsePattern(source: string): Pattern {
  const fail = (position: number, reason: string): never => { throw new AlprError('ALPR_ERR_REQUEST_INVALID', { field: 'pattern', position: position + 1, reason: `pattern, character ${position + 1}: ${reason}` }) }
  if (source.length > MAX_SOURCE) fail(MAX_SOURCE, `longer than ${MAX_SOURCE} characters`)
  const text = source.toUpperCase()
  const fragments: Pattern['fragments'] = []
  let elements: (ReadonlySet<string> | undefined)[] = []
  let stars = new Set<number>()
  let edits = 0
  let regions: string[] = []
  let total = 0
  const close = (at: number) => {
    if (elements.length === 0 && stars.size === 0) fail(at, 'a fragment is empty')
    fragments.push({ elements, stars })
    elements = []
    stars = new Set()
  }
  const add = (at: number, one: ReadonlySet<string> | undefined) => {
    if (++total > MAX_ELEMENTS) fail(at, `more than ${MAX_ELEMENTS} characters of a plate`)
    elements.push(one)
  }
  let at = 0
  for (; at < text.length; at++) {
    const char = text[at]!
    if (/[\s-]/.test(char)) continue
    if (PLAIN.test(char)) add(at, new Set(char))
    else if (char === '?') add(at, undefined)
    else if (char === '*') stars.add(elements.length)
    else if (char === '&') {
      close(at)
      if (fragments.length >= MAX_FRAGMENTS) fail(at, `more than ${MAX_FRAGMENTS} fragments`)
    } else if (char === '[') {
      const end = text.indexOf(']', at)
      if (end < 0) fail(at, '"[" is not closed')
      const set = new Set<string>()
      const inside = text.slice(at + 1, end).replace(/\s/g, '')
      for (let i = 0; i < inside.length; i++) {
        const first = inside[i]!
        if (!PLAIN.test(first)) fail(at + 1 + i, `"${first}" is no letter or digit`)
        const last = inside[i + 1] === '-' ? inside[i + 2] : undefined
        if (last === undefined) set.add(first)
        else {
          if (!PLAIN.test(last) || last < first || /\d/.test(first) !== /\d/.test(last)) fail(at + 1 + i, 'a range goes up, from a digit to a digit or from a letter to a letter')
          for (let code = first.charCodeAt(0); code <= last.charCodeAt(0); code++) set.add(String.fromCharCode(code))
          i += 2
        }
      }
      if (set.size === 0) fail(at, 'nothing between "[" and "]"')
      add(at, set)
      at = end
    } else break
  }
  if (total > 0 || stars.size > 0 || fragments.length > 0) close(at)
  if (text[at] === '~') {
    if (!/^[012]$/.test(text[at + 1] ?? '')) fail(at, 'after "~" stands how many misread characters are allowed, 0 to 2')
    edits = Number(text[at + 1])
    at += 2
  }
  if (text[at] === '@') {
    regions = text.slice(at + 1).split(',').map((one) => one.trim())
    if (regions.length > 64 || !regions.every((one) => /^[A-Z0-9-]{1,15}$/.test(one))) fail(at, 'after "@" stand regions such as CA or CA,NV')
    at = text.length
  }
  if (at < text.length) fail(at, `"${text[at]}" has no meaning here`)
  if (fragments.length > 1 && fragments.some((fragment) => fragment.stars.size > 0)) fail(0, 'with "&" each fragment may stand anywhere, so "*" is not needed and not allowed')
  if (fragments.length === 0) {
    if (regions.length === 0) fail(0, 'it is empty')
    fragments.push({ elements: [], stars: new Set([0]) })
  }
  return { text: text.replace(/[\s-]/g, ''), fragments, edits, regions }
}

/** Classic look-alikes that no character shares with another group, so that "looks alike" divides the characters: one key for all readings of a plate. */
export const LOOK_ALIKES = ['0OQD', '1ILT', '8B', '5S', '2Z', '6G', '4A', 'VY', 'MN'] as const
/** For `translate`: each character of `from` by the one of `to` at its place. */
export const CANONICAL = (() => {
  let from = ''
  let to = ''
  for (const group of LOOK_ALIKES) for (const char of group.slice(1)) { from += char; to += group[0] }
  return { from, to }
})()

/** A plate with all look-alikes as one. */
export const canonicalPlate = (plate: string): string => [...plate].map((char) => { const at = CANONICAL.from.indexOf(char); return at < 0 ? char : CANONICAL.to[at] }).join('')

/** @param lookAlikes whether look-alikes are taken without an error */
export function regexOf(pattern: Pattern, lookAlikes: boolean): string {
  const orders = pattern.fragments.length === 1 ? pattern.fragments : permutations(pattern.fragments).map((order) => {
    const elements: (ReadonlySet<string> | undefined)[] = []
    const stars = new Set<number>()
    for (const fragment of order) {
      stars.add(elements.length)
      elements.push(...fragment.elements)
    }
    return { elements, stars: stars.add(elements.length) }
  })
  return `^(?:${orders.map((order) => expressionOf(order, pattern.edits, lookAlikes)).join('|')})$`
}

/** All ways to read the elements with at most `edits` errors; its size grows with length^(edits+1), at most some 10 kB. */
function expressionOf({ elements, stars }: Pattern['fragments'][number], edits: number, lookAlikes: boolean): string {
  const known = new Map<string, string>()
  const rest = (j: number, left: number, star: boolean): string => {
    const key = `${j} ${left} ${star}`
    let text = known.get(key)
    if (text !== undefined) return text
    if (star && stars.has(j)) text = `.*${rest(j, left, false)}`
    else if (j === elements.length) text = left > 0 ? `.{0,${left}}` : ''
    else {
      const right = `${classOf(elements[j], lookAlikes)}${rest(j + 1, left, true)}`
      text = left === 0 ? right : `(?:${right}|.?${rest(j + 1, left - 1, true)}|.${rest(j, left - 1, false)})`
    }
    known.set(key, text)
    return text
  }
  return rest(0, edits, true)
}

function classOf(element: ReadonlySet<string> | undefined, lookAlikes: boolean): string {
  if (element === undefined) return '.'
  const all = new Set(element)
  if (lookAlikes) for (const group of LOOK_ALIKES) if ([...element].some((char) => group.includes(char))) for (const char of group) all.add(char)
  return all.size === 1 ? [...all][0]! : `[${[...all].sort().join('')}]`
}

function permutations<T>(values: readonly T[]): T[][] {
  if (values.length <= 1) return [[...values]]
  return values.flatMap((one, i) => permutations([...values.slice(0, i), ...values.slice(i + 1)]).map((rest) => [one, ...rest]))
}

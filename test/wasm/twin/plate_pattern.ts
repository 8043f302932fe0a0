import { CHARACTERS } from '../reads.js'
import type { ConfusionData } from '../../../wasm/mod.js'

/**
 * The oracle of patterns: plain recursion over one plate, written from docs/matcher.md without any code of the product.
 *
 *     alternative  one way to read the pattern: a list of tokens, `*` or a set of characters (undefined: any)
 */
export interface TwinPattern {
  fragments: TwinToken[][]
  edits: number
  regions: string[]
}
export type TwinToken = '*' | { set?: string }

/** P(truth is on the plate | the reader is sure of read), as in docs/matcher.md. */
export function twinConfusion(data: ConfusionData): (read: string, truth: string) => number {
  const rows = new Map<string, Map<string, number>>()
  for (const read of CHARACTERS) {
    const alikes = new Set<string>()
    for (const group of data.lookAlikes)
      if (group.includes(read)) for (const other of group) if (other !== read) alikes.add(other)
    const counts = data.counts[read] ?? {}
    let total = 0
    for (const truth of CHARACTERS) total += counts[truth] ?? 0
    const row = new Map<string, number>()
    for (const truth of CHARACTERS) {
      let classic = data.other / 35
      if (truth === read) classic = 1 - data.other - (alikes.size > 0 ? data.lookAlike : 0)
      else if (alikes.has(truth)) classic += data.lookAlike / alikes.size
      row.set(truth, ((counts[truth] ?? 0) + data.weight * classic) / (total + data.weight))
    }
    rows.set(read, row)
  }
  return (read, truth) => rows.get(read)!.get(truth)!
}

/** Whether a pair matches without an error, as in docs/matcher.md. */
export function twinAlike(data: ConfusionData): (read: string, truth: string) => boolean {
  const confusion = twinConfusion(data)
  return (read, truth) =>
    confusion(read, truth) >= 0.001 || data.lookAlikes.some((group) => group.includes(read) && group.includes(truth))
}

export class PatternTwin {
  private readonly confusion: (read: string, truth: string) => number
  private readonly alike: (read: string, truth: string) => boolean

  constructor(
    private readonly data: ConfusionData,
    private readonly lookAlikes = true,
  ) {
    this.confusion = twinConfusion(data)
    this.alike = twinAlike(data)
  }

  /** 0 when the plate does not match. */
  probability(pattern: TwinPattern, plate: string): number {
    return Math.max(
      0,
      ...alternatives(pattern).map((tokens) => this.best(tokens, 0, plate, 0, pattern.edits, new Map())),
    )
  }

  private best(
    tokens: TwinToken[],
    t: number,
    plate: string,
    i: number,
    edits: number,
    memo: Map<string, number>,
  ): number {
    const key = `${t},${i},${edits}`
    const known = memo.get(key)
    if (known !== undefined) return known
    const ways: number[] = [0]
    const token = tokens[t]
    if (token === undefined && i === plate.length) ways.push(1)
    if (token === '*') {
      ways.push(this.best(tokens, t + 1, plate, i, edits, memo))
      if (i < plate.length) ways.push(this.best(tokens, t, plate, i + 1, edits, memo))
    }
    // an extra character may be anywhere
    if (edits > 0 && i < plate.length) ways.push(this.data.extra * this.best(tokens, t, plate, i + 1, edits - 1, memo))
    if (token !== undefined && token !== '*') {
      const wanted = token.set
      if (edits > 0)
        ways.push(
          this.data.missing *
            (wanted === undefined ? 1 : wanted.length / 36) *
            this.best(tokens, t + 1, plate, i, edits - 1, memo),
        )
      if (i < plate.length) {
        const read = plate[i]!
        let weight = 1
        let takes = true
        if (wanted !== undefined) {
          weight = [...wanted].reduce((sum, truth) => sum + this.confusion(read, truth), 0)
          takes = wanted.includes(read) || (this.lookAlikes && [...wanted].some((truth) => this.alike(read, truth)))
        }
        if (takes) ways.push(weight * this.best(tokens, t + 1, plate, i + 1, edits, memo))
        else if (edits > 0) ways.push(weight * this.best(tokens, t + 1, plate, i + 1, edits - 1, memo))
      }
    }
    const best = Math.max(...ways)
    memo.set(key, best)
    return best
  }
}

/** With `&`: every order of the fragments, anything around and between them. */
function alternatives(pattern: TwinPattern): TwinToken[][] {
  if (pattern.fragments.length === 1) return [pattern.fragments[0]!]
  const orders: TwinToken[][][] = [[]]
  for (const fragment of pattern.fragments) {
    for (const order of orders.splice(0))
      for (let at = 0; at <= order.length; at++) orders.push([...order.slice(0, at), fragment, ...order.slice(at)])
  }
  return orders.map((order) => ['*', ...order.flatMap((fragment): TwinToken[] => [...fragment, '*'])])
}

/** The pattern as text. */
export function twinText({ fragments, edits, regions }: TwinPattern): string {
  const token = (one: TwinToken) =>
    one === '*' ? '*' : one.set === undefined ? '?' : one.set.length === 1 ? one.set : `[${one.set}]`
  return (
    fragments.map((fragment) => fragment.map(token).join('')).join('&') +
    (edits ? `~${edits}` : '') +
    (regions.length ? `@${regions.join(',')}` : '')
  )
}

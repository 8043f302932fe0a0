import { and, sql, tableOf, value, type Sql } from '../store/sql.js'
import type { PatternTolerance } from '../../wasm/mod.js'
import { alignments, regexOf, type Pattern } from '../canvass/pattern.js'
import { HOUR_MS } from '../model/time.js'

/** A plate that may be meant by a pattern. */
export interface Candidate {
  plate: string
  /** That the vehicle stored with this text has a plate that satisfies the pattern, 0..1. */
  probability: number
}

export interface Candidates {
  /** Best first, at most the number asked for. */
  plates: Candidate[]
  /** Whether there were more: the list is then no ground to leave plates out. */
  more: boolean
}

/** A plate of one region, as people are shown it. */
export interface FoundPlate {
  plate: string
  /** Of issue; empty when it could not be told. */
  region: string
  /** That the vehicle stored with this text has a plate that satisfies the pattern, 0..1. */
  probability: number
  /** Times read. */
  count: number
  /** RFC 3339, by the hour. */
  firstSeen: string
  lastSeen: string
  tolerated: PatternTolerance[]
}

/** The best of what was scanned so far. */
export interface FoundPage {
  plates: FoundPlate[]
  /** Plates that match, of those scanned. */
  matched: number
  scanned: number
  /** Plates there are to scan. */
  of: number
  done: boolean
}

export interface SearchAsk {
  pattern: Pattern
  /** As it was typed, for a provider with a parser of its own. */
  source: string
  lookAlikes: boolean
  limit: number
  signal: AbortSignal
}

/**
 * Where the plates come from that a pattern may mean: the WASM dictionary where one is loaded, else the table `plates`.
 */
export interface PlateSearch {
  readonly name: 'dictionary' | 'sql'
  /** Milliseconds that a search is expected to take: for the planner. */
  expectedMs(): Promise<number>
  search(ask: SearchAsk, rows: Rows): Promise<Candidates>
  /** Pages while the scan goes on, best first in each: more probable, then seen later. The last is `done`. */
  pages(ask: SearchAsk, rows: Rows): AsyncIterable<FoundPage>
}

type Rows = <Row>(query: Sql, label: string) => Promise<Row[]>

/** Of SQL on one core, measured: 45 ns a distinct plate. */
const NS_A_PLATE = 45

/**
 * All distinct plates, matched by the store: needs nothing in memory, and is what the dictionary is measured against.
 */
export class SqlPlateSearch implements PlateSearch {
  readonly name = 'sql'
  #plates: Promise<number> | undefined

  constructor(
    private readonly database: string,
    private readonly count: () => Promise<number>,
  ) {}

  async expectedMs(): Promise<number> {
    // Counted once: what matters is the order of magnitude.
    this.#plates ??= this.count().catch(() => {
      this.#plates = undefined
      return 0
    })
    return ((await this.#plates) * NS_A_PLATE) / 1e6 + 5
  }

  async search({ pattern, lookAlikes, limit }: SearchAsk, rows: Rows): Promise<Candidates> {
    const found = await rows<{ text: string }>(
      sql`
      SELECT plate AS text FROM ${tableOf(this.database, 'plates')}
      WHERE ${and([plateMatches(pattern, lookAlikes), ...(pattern.regions.length > 0 ? [sql`region IN ${value('Array(String)', pattern.regions)}`] : [])])}
      GROUP BY plate ORDER BY max(last) DESC, plate LIMIT ${value('UInt32', limit + 1)}`,
      'plates of the pattern',
    )
    const aligned = alignments(pattern, lookAlikes)
    const plates = found.slice(0, limit).map(({ text }) => ({ plate: text, probability: aligned(text).probability }))
    return { plates: plates.sort((a, b) => b.probability - a.probability), more: found.length > limit }
  }

  async *pages({ pattern, lookAlikes, limit }: SearchAsk, rows: Rows): AsyncGenerator<FoundPage> {
    const condition = and([
      plateMatches(pattern, lookAlikes),
      ...(pattern.regions.length > 0 ? [sql`region IN ${value('Array(String)', pattern.regions)}`] : []),
    ])
    // The store does not rank by probability: the latest of so many are ranked here.
    const found = await rows<{ text: string; state: string; seen: number; begin: number; end: number; all: number }>(
      sql`
      SELECT plate AS text, CAST(region, 'String') AS state, toUInt32(sum(reads)) AS seen, toUInt32(intDiv(toUnixTimestamp(min(first)), 3600)) AS begin,
        toUInt32(intDiv(toUnixTimestamp(max(last)), 3600)) AS end, toUInt32(count() OVER ()) AS all
      FROM ${tableOf(this.database, 'plates')} WHERE ${condition} GROUP BY plate, region ORDER BY end DESC, plate LIMIT ${value('UInt32', MOST_RANKED)}`,
      'plates of the pattern',
    )
    const aligned = alignments(pattern, lookAlikes)
    const plates = found
      .map(
        ({ text, state, seen, begin, end }): FoundPlate => ({
          plate: text,
          region: state,
          count: seen,
          firstSeen: hourText(begin),
          lastSeen: hourText(end),
          ...aligned(text),
        }),
      )
      .sort(
        (a, b) =>
          b.probability - a.probability ||
          (a.lastSeen < b.lastSeen ? 1 : a.lastSeen > b.lastSeen ? -1 : a.plate < b.plate ? -1 : 1),
      )
    const of = Number(
      (
        await rows<{ n: string }>(sql`SELECT toString(count()) AS n FROM ${tableOf(this.database, 'plates')}`, 'plates')
      )[0]?.n ?? 0,
    )
    yield { plates: plates.slice(0, limit), matched: found[0]?.all ?? 0, scanned: of, of, done: true }
  }
}

/** Plates of a pattern that are ranked when the store searches. */
const MOST_RANKED = 10_000

/** An hour since 1970 as RFC 3339. */
export const hourText = (hour: number): string => new Date(hour * HOUR_MS).toISOString()

/** The whole pattern as a condition on column `plate` (regions apart). */
export function plateMatches(pattern: Pattern, lookAlikes: boolean): Sql {
  return sql`match(plate, ${value('String', regexOf(pattern, lookAlikes))})`
}

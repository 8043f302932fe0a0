import { HOUR_MS } from '../model/time.js'
import { countPlates, matchingPlates, matchingTexts, type PlateRow } from '../store/plate_queries.js'
import type { Sql } from '../store/sql.js'
import type { PatternTolerance } from '../../wasm/mod.js'
import { alignments, regexOf, type Pattern } from './pattern.js'

/** A plate that a pattern may mean. */
export interface Candidate {
  plate: string
  /** Probability, 0..1, that the vehicle stored under this text has a plate that satisfies the pattern. */
  probability: number
}

export interface Candidates {
  /** Best first, at most the requested number. */
  plates: Candidate[]
  /** Whether there were more: then a plate that is not in the list cannot be ruled out. */
  more: boolean
}

/** A plate of one region, as people see it. */
export interface FoundPlate {
  plate: string
  /** Region of issue; empty when it is unknown. */
  region: string
  /** Probability, 0..1, that the vehicle stored under this text has a plate that satisfies the pattern. */
  probability: number
  /** Number of reads. */
  count: number
  /** RFC 3339, by the hour. */
  firstSeen: string
  lastSeen: string
  tolerated: PatternTolerance[]
}

/** The best plates scanned so far. */
export interface FoundPage {
  plates: FoundPlate[]
  /** Matching plates among those scanned. */
  matched: number
  scanned: number
  /** Plates to scan in all. */
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

/** Runs a statement; the label names it in an explanation. */
export type RunQuery = <Row>(query: Sql, label: string) => Promise<Row[]>

/** Finds the plates that a pattern may mean: the WASM dictionary where one is loaded, else the table `plates`. */
export interface PlateSearch {
  readonly name: 'dictionary' | 'sql'
  /** Expected milliseconds of a search, for the planner. */
  expectedMs(): Promise<number>
  search(ask: SearchAsk, rows: RunQuery): Promise<Candidates>
  /** Pages during the scan, best first in each: more probable, then seen later. The last one is `done`. */
  pages(ask: SearchAsk, rows: RunQuery): AsyncIterable<FoundPage>
}

/** Nanoseconds that SQL needs a distinct plate, measured on one core. */
const NS_PER_PLATE = 45
/** Plates that are ranked when the store searches. */
const MAX_RANKED = 10_000

/**
 * The store matches all distinct plates. Needs no memory of its own, and is the reference that the dictionary is
 * compared with.
 */
export class SqlPlateSearch implements PlateSearch {
  readonly name = 'sql'
  #plates: Promise<number> | undefined

  constructor(
    private readonly database: string,
    private readonly count: () => Promise<number>,
  ) {}

  async expectedMs(): Promise<number> {
    // Counted once: only the order of magnitude matters.
    this.#plates ??= this.count().catch(() => {
      this.#plates = undefined
      return 0
    })
    return ((await this.#plates) * NS_PER_PLATE) / 1e6 + 5
  }

  async search({ pattern, lookAlikes, limit }: SearchAsk, rows: RunQuery): Promise<Candidates> {
    const found = await rows<{ text: string }>(
      matchingTexts(this.database, regexOf(pattern, lookAlikes), pattern.regions, limit + 1),
      'plates of the pattern',
    )
    const align = alignments(pattern, lookAlikes)
    const plates = found.slice(0, limit).map(({ text }) => ({ plate: text, probability: align(text).probability }))
    return { plates: plates.sort((a, b) => b.probability - a.probability), more: found.length > limit }
  }

  async *pages({ pattern, lookAlikes, limit }: SearchAsk, rows: RunQuery): AsyncGenerator<FoundPage> {
    // The store does not rank by probability: the plates seen latest are ranked here.
    const found = await rows<PlateRow & { all: number }>(
      matchingPlates(this.database, regexOf(pattern, lookAlikes), pattern.regions, MAX_RANKED),
      'plates of the pattern',
    )
    const align = alignments(pattern, lookAlikes)
    const plates = found.map((row) => ({ ...foundPlate(row), ...align(row.text) })).sort(byRank)
    const [counted] = await rows<{ n: string }>(countPlates(this.database), 'plates')
    const of = Number(counted?.n ?? 0)
    yield { plates: plates.slice(0, limit), matched: found[0]?.all ?? 0, scanned: of, of, done: true }
  }
}

const foundPlate = ({ text, state, seen, begin, end }: PlateRow) => ({
  plate: text,
  region: state,
  count: seen,
  firstSeen: hourText(begin),
  lastSeen: hourText(end),
})

/** More probable first, then seen later, then by text. */
function byRank(a: FoundPlate, b: FoundPlate): number {
  if (a.probability !== b.probability) return b.probability - a.probability
  if (a.lastSeen !== b.lastSeen) return a.lastSeen < b.lastSeen ? 1 : -1
  return a.plate < b.plate ? -1 : 1
}

/** An hour since 1970 as RFC 3339. */
export const hourText = (hour: number): string => new Date(hour * HOUR_MS).toISOString()

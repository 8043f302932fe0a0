import { AlprError } from '../errors.js'
import { HOUR_MS } from '../model/time.js'
import { countPlates, matchingPlates, matchingTexts, type PlateRow } from '../store/plate_queries.js'
import type { Sql } from '../store/sql.js'
import type { PatternTolerance } from '../../wasm/mod.js'
import { alignments, matchingNs, regexOf, type Pattern } from './pattern.js'

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
  /** Whether plates were left out, because the search used its budget up; `scanned` of `of` were searched. */
  partial: boolean
  scanned: number
  of: number
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
  /** The best of only so many matching plates, those seen latest; absent: the best of all. */
  ranked?: number
  scanned: number
  /** Plates to scan in all. */
  of: number
  done: boolean
  /** Whether plates are left out, because the search used its budget up; only of the last page. */
  partial: boolean
}

/** What a search is expected to cost. */
export interface SearchCost {
  /** Milliseconds of one core. */
  ms: number
  /** Whether it would be answered in part only. */
  isOverBudget: boolean
}

export interface SearchAsk {
  pattern: Pattern
  /** As it was typed, for a provider with a parser of its own. */
  source: string
  lookAlikes: boolean
  limit: number
  /** Whether only the last page is wanted. @default false */
  lastOnly?: boolean
  signal?: AbortSignal
}

/** Runs a statement; the label names it in an explanation. */
export type RunQuery = <Row>(query: Sql, label: string) => Promise<Row[]>

/** Finds the plates that a pattern may mean: the WASM dictionary where one is loaded, else the table `plates`. */
export interface PlateSearch {
  readonly name: 'dictionary' | 'sql'
  /** What the search is expected to cost, for the planner. */
  cost(ask: SearchAsk): Promise<SearchCost>
  search(ask: SearchAsk, rows: RunQuery): Promise<Candidates>
  /** Pages during the scan, best first in each: more probable, then seen later. The last one is `done`. */
  pages(ask: SearchAsk, rows: RunQuery): AsyncIterable<FoundPage>
}

/** Nanoseconds that SQL needs a distinct plate, measured on one core. */
const NS_PER_PLATE = 45
/** The store ends a search after about this long, milliseconds. */
const STORE_BUDGET_MS = 30_000
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

  async cost({ pattern, lookAlikes }: SearchAsk): Promise<SearchCost> {
    // Counted once: only the order of magnitude matters.
    this.#plates ??= this.count().catch(() => {
      this.#plates = undefined
      return 0
    })
    const ms = ((await this.#plates) * (NS_PER_PLATE + matchingNs(pattern, lookAlikes))) / 1e6 + 5
    return { ms, isOverBudget: ms > STORE_BUDGET_MS }
  }

  async search(ask: SearchAsk, rows: RunQuery): Promise<Candidates> {
    await this.#refuseHopeless(ask)
    const { pattern, lookAlikes, limit } = ask
    const found = await rows<{ text: string }>(
      matchingTexts(this.database, regexOf(pattern, lookAlikes), pattern.regions, limit + 1),
      'plates of the pattern',
    )
    const align = alignments(pattern, lookAlikes)
    const plates = found.slice(0, limit).map(({ text }) => ({ plate: text, probability: align(text).probability }))
    return {
      plates: plates.sort((a, b) => b.probability - a.probability),
      more: found.length > limit,
      partial: false,
      scanned: 0,
      of: 0,
    }
  }

  async *pages(ask: SearchAsk, rows: RunQuery): AsyncGenerator<FoundPage> {
    await this.#refuseHopeless(ask)
    const { pattern, lookAlikes, limit } = ask
    // The store does not rank by probability: the plates seen latest are ranked here.
    const found = await rows<PlateRow & { all: number }>(
      matchingPlates(this.database, regexOf(pattern, lookAlikes), pattern.regions, MAX_RANKED),
      'plates of the pattern',
    )
    const align = alignments(pattern, lookAlikes)
    const plates = found.map((row) => ({ ...foundPlate(row), ...align(row.text) })).sort(byRank)
    const [counted] = await rows<{ n: string }>(countPlates(this.database), 'plates')
    const of = Number(counted?.n ?? 0)
    const matched = found[0]?.all ?? 0
    const ranked = matched > found.length ? { ranked: found.length } : {}
    yield { plates: plates.slice(0, limit), matched, ...ranked, scanned: of, of, done: true, partial: false }
  }

  /** @throws ALPR_ERR_SEARCH_TOO_COSTLY for a search that the store would certainly end before it is done */
  async #refuseHopeless(ask: SearchAsk): Promise<void> {
    const { ms } = await this.cost(ask)
    // the estimate may be off by a few times
    if (ms > 10 * STORE_BUDGET_MS)
      throw new AlprError('ALPR_ERR_SEARCH_TOO_COSTLY', { reason: `it takes about ${Math.round(ms / 60_000)} minutes` })
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

import { and, sql, tableOf, value, type Sql } from './sql.js'
import { probabilities, regexOf, type Pattern } from './pattern.js'

/** A plate that may be meant by a pattern. */
export interface Candidate {
  plate: string
  /** Times read, as far as it is known: for the planner. */
  reads: number
  /** That the vehicle stored with this text has a plate that satisfies the pattern, 0..1. */
  probability: number
}

export interface Candidates {
  /** Best first, at most the number asked for. */
  plates: Candidate[]
  /** Whether there were more: the list is then no ground to leave plates out. */
  more: boolean
}

export interface SearchAsk {
  pattern: Pattern
  /** As it was typed, for a provider with a parser of its own. */
  source: string
  lookAlikes: boolean
  limit: number
  signal: AbortSignal
}

/** Where the plates come from that a pattern may mean: the WASM dictionary where one is loaded, else the table `plates`. */
export interface PlateSearch {
  readonly name: 'dictionary' | 'sql'
  /** Milliseconds that a search is expected to take: for the planner. */
  expectedMs(): Promise<number>
  search(ask: SearchAsk, rows: Rows): Promise<Candidates>
}

type Rows = <Row>(query: Sql, label: string) => Promise<Row[]>

/** Of SQL on one core, measured: 45 ns a distinct plate. */
const NS_A_PLATE = 45

/** All distinct plates, matched by the store: needs nothing in memory, and is what the dictionary is measured against. */
export class SqlPlateSearch implements PlateSearch {
  readonly name = 'sql'
  #plates: Promise<number> | undefined

  constructor(private readonly database: string, private readonly count: () => Promise<number>) {}

  async expectedMs(): Promise<number> {
    // Counted once: what matters is the order of magnitude.
    this.#plates ??= this.count().catch(() => { this.#plates = undefined; return 0 })
    return (await this.#plates * NS_A_PLATE) / 1e6 + 5
  }

  async search({ pattern, lookAlikes, limit }: SearchAsk, rows: Rows): Promise<Candidates> {
    const found = await rows<{ text: string; seen: number }>(sql`
      SELECT plate AS text, toUInt32(sum(reads)) AS seen FROM ${tableOf(this.database, 'plates')}
      WHERE ${and([plateMatches(pattern, lookAlikes), ...(pattern.regions.length > 0 ? [sql`region IN ${value('Array(String)', pattern.regions)}`] : [])])}
      GROUP BY plate ORDER BY max(last) DESC, plate LIMIT ${value('UInt32', limit + 1)}`, 'plates of the pattern')
    const probability = probabilities(pattern, lookAlikes)
    const plates = found.slice(0, limit).map(({ text, seen }) => ({ plate: text, reads: seen, probability: probability(text) }))
    return { plates: plates.sort((a, b) => b.probability - a.probability), more: found.length > limit }
  }
}

/** The whole pattern as a condition on column `plate` (regions apart). */
export function plateMatches(pattern: Pattern, lookAlikes: boolean): Sql {
  return sql`match(plate, ${value('String', regexOf(pattern, lookAlikes))})`
}

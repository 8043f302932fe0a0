import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { DAY_MS } from '../model/time.js'
import type { Hit } from '../model/hit.js'
import type { LedgerRow } from '../model/ledger.js'
import { checkDatabaseName } from './ddl.js'
import { scopeSettings, WHOLE, type Scope } from './scope.js'
import { hitOf, readOf, type HitColumns, type ReadColumns } from './stored_rows.js'
import type { StoredRead } from './tables.js'

/** Rows of one answer. A larger one belongs to an export: parsing it would block the event loop. */
const MAX_ROWS = 5_000

/**
 * All versions of a row lie in one partition, because no version changes the time of the first: FINAL need not look
 * across them.
 */
const FINAL: ClickHouseSettings = { do_not_merge_across_partitions_select_final: 1 }

/** How far back the latest rows are searched, step by step: the first step usually has them. */
const LOOK_BACK_MS = [DAY_MS, 9 * DAY_MS, 90 * DAY_MS, Number.POSITIVE_INFINITY]

/** The place of a row in a list that is ordered by time and, within one time, by id. */
export interface RowPlace {
  /** Milliseconds. */
  time: number
  id: string
}

export interface Latest {
  /** 1 to 5,000. */
  limit: number
  /** Only rows that come after this one in the list. */
  after?: RowPlace
  signal?: AbortSignal
  /** ANDed into every statement. @default WHOLE */
  scope?: Scope
}

const PLACE_TIME = "fromUnixTimestamp64Milli({time:Int64}, 'UTC')"
/** The bound of the time alone lets the store skip parts and granules. */
const NOT_LATER = `ts <= ${PLACE_TIME}`
/** Rows of a list after a place, newest first. */
const AFTER = {
  reads: `${NOT_LATER} AND (ts, read_id) < (${PLACE_TIME}, {id:UInt64})`,
  hits: `${NOT_LATER} AND (ts, hit_id) < (${PLACE_TIME}, {id:String})`,
  ledger: "(l.hour, l.camera) < (toDateTime(intDiv({time:Int64}, 1000), 'UTC'), {id:String})",
}

/** Latest reads and hits, single reads, and the ledger. */
export class StoreQueries {
  readonly #client: ClickHouseClient
  readonly #database: string

  constructor(client: ClickHouseClient, database: string) {
    this.#client = client
    this.#database = checkDatabaseName(database)
  }

  /** The latest reads, newest first. @param options.plate as it was read, upper case letters and digits */
  async latestReads(options: Latest & { camera?: string; plate?: string }): Promise<StoredRead[]> {
    const { camera, plate } = options
    const where =
      (camera === undefined ? '' : 'AND camera = {camera:String} ') +
      (plate === undefined ? '' : this.#ofPlate(options.after))
    const rows = await this.#latest<ReadColumns>('reads', 'read_id', options, where, { camera, plate })
    return rows.map(readOf)
  }

  /** The plate index locates the reads; `plate` is checked again, because a later version may have another text. */
  #ofPlate(after: RowPlace | undefined): string {
    return `AND plate = {plate:String} AND (cell, ts) IN (
      SELECT cell, ts FROM ${this.#database}.reads_by_plate
      WHERE plate = {plate:String} ${after === undefined ? '' : `AND ${AFTER.reads}`})`
  }

  /** The latest hits, newest first, each in its highest revision; withdrawn ones too. */
  async latestHits(options: Latest & { list?: string }): Promise<Hit[]> {
    const where = options.list === undefined ? '' : 'AND list = {list:String}'
    const rows = await this.#latest<HitColumns>('hits', 'hit_id', options, where, { list: options.list })
    return rows.map(hitOf)
  }

  /** @param ts time of the read, if known: without it all weeks are searched */
  async readById(readId: string, ts?: number): Promise<StoredRead | undefined> {
    if (!/^\d{1,20}$/.test(readId)) return undefined
    const rows = await this.#rows<ReadColumns>(
      `SELECT *, ts_last FROM ${this.#database}.reads FINAL
       WHERE read_id = {id:UInt64} ${ts === undefined ? '' : "AND ts = fromUnixTimestamp64Milli({ts:Int64}, 'UTC')"}
       LIMIT 1`,
      { id: readId, ts },
    )
    return rows[0] && readOf(rows[0])
  }

  /**
   * Rows of one camera, or of all, with `from <= hour < until`, by hour and camera in descending order; the parts of an
   * hour added up (`part` is the first, `version` the last). The id of a row's place is its camera.
   */
  async ledger({
    camera,
    from,
    until,
    limit,
    after,
    signal,
    scope,
  }: Latest & { camera?: string; from: number; until: number }): Promise<LedgerRow[]> {
    requireLimit(limit)
    const rows = await this.#rows<Record<keyof LedgerRow, string>>(
      // Qualified: in ClickHouse an alias wins over the column of its name, in WHERE too.
      `SELECT l.camera AS camera, min(l.part) AS part, toUnixTimestamp(l.hour) * 1000 AS hour,
              sum(l.frames_in) AS framesIn, sum(l.with_reads) AS withReads, sum(l.without_plate) AS withoutPlate,
              sum(l.dead) AS dead, max(l.version) AS version
       FROM ${this.#database}.ledger AS l FINAL
       WHERE l.hour >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
         AND l.hour < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
             ${camera === undefined ? '' : 'AND l.camera = {camera:String}'}
             ${after === undefined ? '' : `AND ${AFTER.ledger}`}
       GROUP BY l.camera, l.hour ORDER BY l.hour DESC, l.camera DESC LIMIT {limit:UInt32}`,
      { from, until, camera, limit, ...after },
      signal,
      scope,
    )
    return rows.map((row) => ({
      camera: row.camera,
      part: Number(row.part),
      hour: Number(row.hour),
      framesIn: Number(row.framesIn),
      withReads: Number(row.withReads),
      withoutPlate: Number(row.withoutPlate),
      dead: Number(row.dead),
      version: Number(row.version),
    }))
  }

  /** Rows of a table without duplicates. */
  async count(table: 'reads' | 'reads_by_plate' | 'hits' | 'ledger'): Promise<number> {
    const rows = await this.#rows<{ rows: string }>(`SELECT count() AS rows FROM ${this.#database}.${table} FINAL`, {})
    return Number(rows[0]!.rows)
  }

  async #latest<Row>(
    table: 'reads' | 'hits',
    id: string,
    options: Latest,
    where: string,
    params: Record<string, unknown>,
  ): Promise<Row[]> {
    const { limit, after, signal, scope } = options
    requireLimit(limit)
    // From the newest row on, not from now: clocks differ, and the table may hold an old feed. It costs nothing,
    // because partitions know their times.
    const bounded = after === undefined ? '' : `WHERE ${NOT_LATER}`
    const [{ newest, oldest }] = (await this.#rows<{ newest: string; oldest: string }>(
      `SELECT toUnixTimestamp64Milli(max(ts)) AS newest, toUnixTimestamp64Milli(min(ts)) AS oldest
       FROM ${this.#database}.${table} ${bounded}`,
      { time: after?.time },
      signal,
      scope,
    )) as [{ newest: string; oldest: string }]
    let rows: Row[] = []
    for (const back of LOOK_BACK_MS) {
      const since = Math.max(Number(oldest), Number(newest) - back)
      rows = await this.#rows<Row>(
        `SELECT ${table === 'reads' ? '*, ts_last' : '*'} FROM ${this.#database}.${table} FINAL
         WHERE ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
               ${after === undefined ? '' : `AND ${AFTER[table]}`} ${where}
         ORDER BY ts DESC, ${id} DESC LIMIT {limit:UInt32}`,
        { ...params, ...after, since, limit },
        signal,
        scope,
      )
      if (rows.length >= limit || since <= Number(oldest)) break
    }
    return rows
  }

  async #rows<Row>(
    query: string,
    params: Record<string, unknown>,
    signal?: AbortSignal,
    scope: Scope = WHOLE,
  ): Promise<Row[]> {
    const given = Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined))
    const result = await this.#client.query({
      query,
      query_params: given,
      format: 'JSONEachRow',
      clickhouse_settings: { ...FINAL, ...scopeSettings(scope, this.#database) },
      abort_signal: signal,
    })
    return result.json<Row>()
  }
}

/** @throws ALPR_ERR_REQUEST_INVALID */
function requireLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_ROWS)
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: `limit must be a whole number from 1 to ${MAX_ROWS}` })
}

import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { DAY_MS } from '../model/time.js'
import type { Hit } from '../model/hit.js'
import type { LedgerRow } from '../model/ledger.js'
import type { CropRef, Read } from '../model/read.js'
import { checkDatabaseName } from './ddl.js'
import { scopeSettings, WHOLE, type Scope } from './scope.js'
import type { StoredRead } from './tables.js'

/** Larger answers belong to an export: parsing them would hold the event loop up. */
export const MAX_ROWS = 5_000

/**
 * All versions of a row lie in one partition, because no version changes the time of the first: FINAL need not look
 * across them.
 */
const FINAL: ClickHouseSettings = { do_not_merge_across_partitions_select_final: 1 }

/** How far back the latest rows are looked for, step by step: most often the first step has them. */
const LOOK_BACK_MS = [DAY_MS, 9 * DAY_MS, 90 * DAY_MS, Number.POSITIVE_INFINITY]

export interface Latest {
  /** 1 to 5,000. */
  limit: number
  /** Only rows before this event time (exclusive), milliseconds. */
  before?: number
  signal?: AbortSignal
  /** ANDed into every statement. @default WHOLE */
  scope?: Scope
}

/** The questions that the running system asks of its own tables. */
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
      (plate === undefined ? '' : this.#ofPlate(options.before))
    const rows = await this.#latest<ReadRow>('reads', 'read_id', options, where, { camera, plate })
    return rows.map(readOf)
  }

  /**
   * The index by plate says where to look; `plate` is asked for again, because a later version of a read may have
   * another one.
   */
  #ofPlate(before: number | undefined): string {
    return `AND plate = {plate:String} AND (cell, ts) IN (
      SELECT cell, ts FROM ${this.#database}.reads_by_plate WHERE plate = {plate:String} ${before === undefined ? '' : "AND ts < fromUnixTimestamp64Milli({before:Int64}, 'UTC')"})`
  }

  /** The latest hits, newest first, each in its highest revision; withdrawn ones too. */
  async latestHits(options: Latest & { list?: string }): Promise<Hit[]> {
    const where = options.list === undefined ? '' : 'AND list = {list:String}'
    const rows = await this.#latest<HitRow>('hits', 'hit_id', options, where, { list: options.list })
    return rows.map(hitOf)
  }

  /** @param ts time of the read, if known: without it all weeks are searched */
  async readById(readId: string, ts?: number): Promise<StoredRead | undefined> {
    if (!/^\d{1,20}$/.test(readId)) return undefined
    const rows = await this.#rows<ReadRow>(
      `SELECT *, ts_last FROM ${this.#database}.reads FINAL WHERE read_id = {id:UInt64} ${ts === undefined ? '' : "AND ts = fromUnixTimestamp64Milli({ts:Int64}, 'UTC')"} LIMIT 1`,
      { id: readId, ts },
    )
    return rows[0] && readOf(rows[0])
  }

  /**
   * Rows of one camera, or of all, with `from <= hour < until`; the parts of an hour added up (`part` is the first,
   * `version` the last).
   */
  async ledger(options: {
    camera?: string
    from: number
    until: number
    signal?: AbortSignal
    scope?: Scope
  }): Promise<LedgerRow[]> {
    const rows = await this.#rows<Record<keyof LedgerRow, string>>(
      // Qualified: in ClickHouse an alias wins over the column of its name, in WHERE too.
      `SELECT l.camera AS camera, min(l.part) AS part, toUnixTimestamp(l.hour) * 1000 AS hour, sum(l.frames_in) AS framesIn,
              sum(l.with_reads) AS withReads, sum(l.without_plate) AS withoutPlate, sum(l.dead) AS dead, max(l.version) AS version
       FROM ${this.#database}.ledger AS l FINAL
       WHERE l.hour >= fromUnixTimestamp64Milli({from:Int64}, 'UTC') AND l.hour < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
             ${options.camera === undefined ? '' : 'AND l.camera = {camera:String}'}
       GROUP BY l.camera, l.hour ORDER BY l.hour, l.camera LIMIT ${MAX_ROWS}`,
      { from: options.from, until: options.until, camera: options.camera },
      options.signal,
      options.scope,
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

  /** Rows of a table, duplicates taken out. */
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
    const { limit, before, signal, scope } = options
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_ROWS)
      throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: `limit must be a whole number from 1 to ${MAX_ROWS}` })
    // From the newest row on, not from now: clocks differ, and the table may hold an old feed. (Free: the partitions
    // know their times.)
    const bounded = before === undefined ? '' : "WHERE ts < fromUnixTimestamp64Milli({before:Int64}, 'UTC')"
    const [{ newest, oldest }] = (await this.#rows<{ newest: string; oldest: string }>(
      `SELECT toUnixTimestamp64Milli(max(ts)) AS newest, toUnixTimestamp64Milli(min(ts)) AS oldest FROM ${this.#database}.${table} ${bounded}`,
      { before },
      signal,
      scope,
    )) as [{ newest: string; oldest: string }]
    let rows: Row[] = []
    for (const back of LOOK_BACK_MS) {
      const since = Math.max(Number(oldest), Number(newest) - back)
      rows = await this.#rows<Row>(
        `SELECT ${table === 'reads' ? '*, ts_last' : '*'} FROM ${this.#database}.${table} FINAL
         WHERE ts >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') ${before === undefined ? '' : "AND ts < fromUnixTimestamp64Milli({before:Int64}, 'UTC')"} ${where}
         ORDER BY ts DESC, ${id} DESC LIMIT {limit:UInt32}`,
        { ...params, since, before, limit },
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

interface CropColumns {
  crop_segment: string
  crop_offset: string
  crop_length: number
}

interface ReadRow extends CropColumns {
  read_id: string
  version: number
  plate: string
  confidence: number
  alternate_plates: string[]
  alternate_confidences: number[]
  region: string
  camera: string
  ts: string
  ts_last: string
  lat: number
  lon: number
  heading: number | null
  direction: Read['direction']
  picture_gap: string
  picture_length: number
  height_px: number
  sharpness: number
  contrast: number
  glare: number
  module: string
  model: string
  lists: string
  feed: string
}

interface HitRow extends CropColumns {
  hit_id: string
  revision: number
  state: Hit['state']
  read_id: string
  plate: string
  confidence: number
  alternate_plates: string[]
  alternate_confidences: number[]
  region: string
  listed_plate: string
  list: string
  list_name: string
  list_version: string
  list_loaded_at: string
  reason: string
  priority: Hit['priority']
  exact: boolean
  probability: number
  tolerated_positions: number[]
  tolerated_read: string[]
  tolerated_listed: string[]
  tolerated_probabilities: number[]
  camera: string
  camera_name: string
  lat: number
  lon: number
  heading: number | null
  direction: string
  ts: string
  ts_last: string
  published_at: string
  picture_segment: string
  picture_offset: string
  picture_length: number
  module: string
  model: string
}

/** No segment: no picture. */
function cropOf(segment: string, offset: string, length: number): CropRef | undefined {
  return segment === '' ? undefined : { segment, offset: Number(offset), length }
}

const alternatesOf = (row: { alternate_plates: string[]; alternate_confidences: number[] }) =>
  row.alternate_plates.map((plate, index) => ({ plate, confidence: row.alternate_confidences[index] ?? 0 }))

function readOf(row: ReadRow): StoredRead {
  const crop = cropOf(row.crop_segment, row.crop_offset, row.crop_length)
  const picture =
    crop && row.picture_length > 0
      ? {
          segment: crop.segment,
          offset: crop.offset + crop.length + Number(row.picture_gap),
          length: row.picture_length,
        }
      : undefined
  return {
    readId: row.read_id,
    version: row.version,
    plate: row.plate,
    confidence: row.confidence,
    alternates: alternatesOf(row),
    region: row.region,
    camera: row.camera,
    ts: Date.parse(row.ts),
    tsLast: Date.parse(row.ts_last),
    lat: row.lat,
    lon: row.lon,
    ...(row.heading === null ? {} : { heading: row.heading }),
    direction: row.direction,
    frames: row.version,
    quality: { heightPx: row.height_px, sharpness: row.sharpness, contrast: row.contrast, glare: row.glare },
    ...(crop && { crop }),
    ...(picture && { picture }),
    module: row.module,
    model: row.model,
    lists: row.lists,
    feed: row.feed,
  }
}

function hitOf(row: HitRow): Hit {
  const crop = cropOf(row.crop_segment, row.crop_offset, row.crop_length)
  const picture = cropOf(row.picture_segment, row.picture_offset, row.picture_length)
  return {
    hitId: row.hit_id,
    revision: row.revision,
    state: row.state,
    readId: row.read_id,
    plate: row.plate,
    confidence: row.confidence,
    alternates: alternatesOf(row),
    region: row.region,
    listedPlate: row.listed_plate,
    list: row.list,
    listName: row.list_name,
    listVersion: row.list_version,
    listLoadedAt: row.list_loaded_at,
    reason: row.reason,
    priority: row.priority,
    exact: row.exact,
    probability: row.probability,
    tolerated: row.tolerated_positions.map((position, index) => ({
      position,
      read: row.tolerated_read[index] ?? '',
      listed: row.tolerated_listed[index] ?? '',
      probability: row.tolerated_probabilities[index] ?? 0,
    })),
    camera: row.camera,
    cameraName: row.camera_name,
    lat: row.lat,
    lon: row.lon,
    ...(row.heading === null ? {} : { heading: row.heading }),
    direction: row.direction,
    ts: row.ts,
    tsLast: row.ts_last,
    publishedAt: row.published_at,
    ...(crop && { crop }),
    ...(picture && { picture }),
    module: row.module,
    model: row.model,
  }
}

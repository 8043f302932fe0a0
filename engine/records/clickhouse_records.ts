import { SegmentReader } from '../pictures/segment_reader.js'
import type { CropRef } from '../model/read.js'
import type { Settings } from '../settings.js'
import { createClient, storeError, type StoreAddress } from '../store/client.js'
import { MAX_ROWS, StoreQueries } from '../store/queries.js'
import type { Scope } from '../store/scope.js'
import type { StoredRead } from '../store/tables.js'
import { cursorOf, isBefore, parseCursor, type Cursor } from './page_cursor.js'
import type {
  HitRecord,
  HitsQuery,
  LedgerEntry,
  LedgerQuery,
  Page,
  ReadRecord,
  ReadsQuery,
  StoredRecords,
} from './stored_records.js'

/** A person waits for these answers, ms. */
const REQUEST_TIMEOUT_MS = 15_000

/** Records in ClickHouse (embedded, server or cluster: the client does not know) and in the segment files beside it. */
export class ClickHouseRecords implements StoredRecords {
  readonly #client
  readonly #queries
  readonly #segments
  readonly #url: string

  /** @param store where the embedded store listens; unused when the settings name a ClickHouse server */
  constructor(settings: Settings, store: StoreAddress | undefined, segmentFolder: string) {
    this.#client = createClient(settings, store, { requestTimeoutMs: REQUEST_TIMEOUT_MS, maxConnections: 8 })
    this.#queries = new StoreQueries(this.#client, settings.clickhouse.database)
    this.#segments = new SegmentReader(segmentFolder)
    this.#url = settings.clickhouse.url || (store?.url ?? '')
  }

  async ping(): Promise<void> {
    const answer = await this.#client.ping({ select: true })
    if (!answer.success) throw storeError(answer.error, this.#url)
  }

  reads({ limit, before, ...filter }: ReadsQuery, scope: Scope): Promise<Page<ReadRecord>> {
    return this.#page(
      limit,
      before,
      (options) => this.#queries.latestReads({ ...options, ...filter, scope }),
      (read) => ({ time: read.ts, id: read.readId }),
      readRow,
    )
  }

  hits({ limit, before, ...filter }: HitsQuery, scope: Scope): Promise<Page<HitRecord>> {
    return this.#page(
      limit,
      before,
      (options) => this.#queries.latestHits({ ...options, ...filter, scope }),
      (hit) => ({ time: Date.parse(hit.ts), id: hit.hitId }),
      (hit) => hit,
    )
  }

  async ledger({ from, to, camera }: LedgerQuery, scope: Scope): Promise<LedgerEntry[]> {
    const rows = await this.#ask(() =>
      this.#queries.ledger({ from, until: to, scope, ...(camera !== undefined && { camera }) }),
    )
    return rows
      .map(({ camera, hour, framesIn, withReads, withoutPlate, dead }) => ({
        camera,
        hour: new Date(hour).toISOString(),
        framesIn,
        withReads,
        withoutPlate,
        dead,
      }))
      .reverse()
  }

  picture(ref: CropRef): Promise<Uint8Array> {
    return this.#segments.read(ref)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /**
   * One page in the order (time, id), newest first. The statements end at a time, but many rows can share a
   * millisecond: so the rows of the cursor's own millisecond are read again and those already shown are left out.
   */
  async #page<Row, Item>(
    limit: number,
    before: string | undefined,
    ask: (options: { limit: number; before?: number }) => Promise<Row[]>,
    place: (row: Row) => Cursor,
    item: (row: Row) => Item,
  ): Promise<Page<Item>> {
    const cursor = before === undefined ? undefined : parseCursor(before)
    for (let spare = 16; ; spare *= 4) {
      const count = Math.min(MAX_ROWS, limit + spare)
      const rows = await this.#ask(() => ask({ limit: count, ...(cursor && { before: cursor.time + 1 }) }))
      const left = cursor ? rows.filter((row) => isBefore(place(row), cursor)) : rows
      const more = rows.length === count
      if (left.length <= limit && more && count < MAX_ROWS) continue
      const shown = left.slice(0, limit)
      return {
        items: shown.map(item),
        ...((left.length > limit || more) && shown.length > 0 && { next: cursorOf(place(shown.at(-1)!)) }),
      }
    }
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      throw storeError(error, this.#url)
    }
  }
}

function readRow(read: StoredRead): ReadRecord {
  const {
    readId,
    version,
    plate,
    confidence,
    alternates,
    region,
    camera,
    ts,
    tsLast,
    lat,
    lon,
    heading,
    direction,
    frames,
    crop,
    module,
    model,
  } = read
  return {
    readId,
    version,
    plate,
    confidence,
    alternates,
    region,
    camera,
    ts: new Date(ts).toISOString(),
    tsLast: new Date(tsLast).toISOString(),
    lat,
    lon,
    ...(heading !== undefined && { heading }),
    direction,
    frames,
    ...(crop && { crop }),
    module,
    model,
  }
}

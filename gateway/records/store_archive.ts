import {
  createClient,
  SegmentReader,
  type CropRef,
  MAX_ROWS,
  type Settings,
  storeError,
  StoreQueries,
} from '../../engine/mod.js'
import type { Archive, ArchivedHit, HitsQuery, LedgerEntry, LedgerQuery, ArchivedRead, ReadsQuery } from './archive.js'
import { cursorOf, isBefore, parseCursor, type Cursor, type Page } from '../http/cursor.js'

/** A person is waiting for the response, ms. */
const REQUEST_TIMEOUT_MS = 15_000

type StoredRead = Awaited<ReturnType<StoreQueries['latestReads']>>[number]

/** The archive in ClickHouse (embedded, a server or a cluster alike) and in the crop files beside it. */
export class StoreArchive implements Archive {
  readonly #client
  readonly #queries
  readonly #crops
  readonly #url: string

  constructor(settings: Settings, store: { url: string; password?: string }, cropFolder: string) {
    this.#client = createClient(
      settings,
      { url: store.url, token: store.password },
      { requestTimeoutMs: REQUEST_TIMEOUT_MS, maxConnections: 8 },
    )
    this.#queries = new StoreQueries(this.#client, settings.clickhouse.database)
    this.#crops = new SegmentReader(cropFolder)
    this.#url = settings.clickhouse.url || store.url
  }

  async ping(): Promise<void> {
    const answer = await this.#client.ping({ select: true })
    if (!answer.success) throw storeError(answer.error, this.#url)
  }

  reads({ limit, before, ...filter }: ReadsQuery): Promise<Page<ArchivedRead>> {
    return this.#page(
      limit,
      before,
      (options) => this.#queries.latestReads({ ...options, ...filter }),
      (read) => ({ time: read.ts, id: read.readId }),
      readRow,
    )
  }

  hits({ limit, before, ...filter }: HitsQuery): Promise<Page<ArchivedHit>> {
    return this.#page(
      limit,
      before,
      (options) => this.#queries.latestHits({ ...options, ...filter }),
      (hit) => ({ time: Date.parse(hit.ts), id: hit.hitId }),
      (hit) => hit,
    )
  }

  async ledger({ from, to, camera }: LedgerQuery): Promise<LedgerEntry[]> {
    const rows = await this.#run(() =>
      this.#queries.ledger({ from, until: to, ...(camera !== undefined && { camera }) }),
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

  crop(ref: CropRef): Promise<Uint8Array> {
    return this.#crops.read(ref)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /**
   * One page in the order (time, id), newest first. The store's queries are bounded by a time, but many rows can share
   * a millisecond, so the rows of the cursor's own millisecond are queried again and those already shown are left out.
   */
  async #page<Row, Item>(
    limit: number,
    before: string | undefined,
    query: (options: { limit: number; before?: number }) => Promise<Row[]>,
    positionOf: (row: Row) => Cursor,
    item: (row: Row) => Item,
  ): Promise<Page<Item>> {
    const cursor = before === undefined ? undefined : parseCursor(before)
    for (let spare = 16; ; spare *= 4) {
      const count = Math.min(MAX_ROWS, limit + spare)
      const rows = await this.#run(() => query({ limit: count, ...(cursor && { before: cursor.time + 1 }) }))
      const left = cursor ? rows.filter((row) => isBefore(positionOf(row), cursor)) : rows
      const more = rows.length === count
      if (left.length <= limit && more && count < MAX_ROWS) continue
      const shown = left.slice(0, limit)
      return {
        items: shown.map(item),
        ...((left.length > limit || more) && shown.length > 0 && { next: cursorOf(positionOf(shown.at(-1)!)) }),
      }
    }
  }

  async #run<T>(query: () => Promise<T>): Promise<T> {
    try {
      return await query()
    } catch (error) {
      throw storeError(error, this.#url)
    }
  }
}

function readRow(read: StoredRead): ArchivedRead {
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

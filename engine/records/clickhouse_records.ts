import { SegmentReader } from '../pictures/segment_reader.js'
import type { CropRef } from '../model/read.js'
import type { Settings } from '../settings.js'
import { createClient, storeError, type StoreAddress } from '../store/client.js'
import { StoreQueries, type RowPlace } from '../store/queries.js'
import type { Scope } from '../store/scope.js'
import type { StoredRead } from '../store/tables.js'
import type { LedgerRow } from '../model/ledger.js'
import { CAMERA_ID } from '../model/camera.js'
import { cursorOf, parseCursor } from './page_cursor.js'
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

  /** @throws ALPR_ERR_STORE_UNAVAILABLE when the store does not answer */
  async ping(): Promise<void> {
    const answer = await this.#client.ping({ select: true })
    if (!answer.success) throw storeError(answer.error, this.#url)
  }

  /** Latest versions of reads. @throws ALPR_ERR_REQUEST_INVALID for a wrong `before`, errors of the store */
  async reads({ limit, before, ...filter }: ReadsQuery, scope: Scope): Promise<Page<ReadRecord>> {
    return this.#page(
      limit,
      before && parseCursor(before, /^\d{1,20}$/),
      (options) => this.#queries.latestReads({ ...options, ...filter, scope }),
      (read) => ({ time: read.ts, id: read.readId }),
      readRow,
    )
  }

  /** Latest revisions of hits. @throws as `reads` */
  async hits({ limit, before, ...filter }: HitsQuery, scope: Scope): Promise<Page<HitRecord>> {
    return this.#page(
      limit,
      before && parseCursor(before, /./),
      (options) => this.#queries.latestHits({ ...options, ...filter, scope }),
      (hit) => ({ time: Date.parse(hit.ts), id: hit.hitId }),
      (hit) => hit,
    )
  }

  /** Cameras and hours. @throws as `reads` */
  async ledger({ limit, before, to, ...filter }: LedgerQuery, scope: Scope): Promise<Page<LedgerEntry>> {
    return this.#page(
      limit,
      before && parseCursor(before, CAMERA_ID),
      (options) => this.#queries.ledger({ ...options, ...filter, until: to, scope }),
      (row) => ({ time: row.hour, id: row.camera }),
      ledgerEntry,
    )
  }

  /** A JPEG. @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_CROP_CORRUPT */
  picture(ref: CropRef): Promise<Uint8Array> {
    return this.#segments.read(ref)
  }

  /** Closes the connections to the store. */
  close(): Promise<void> {
    return this.#client.close()
  }

  /** One page in the order (time, id), newest first. One further row only tells that there is a next page. */
  async #page<Row, Item>(
    limit: number,
    after: RowPlace | '' | undefined,
    ask: (options: { limit: number; after?: RowPlace }) => Promise<Row[]>,
    place: (row: Row) => RowPlace,
    item: (row: Row) => Item,
  ): Promise<Page<Item>> {
    const rows = await this.#ask(() => ask({ limit: limit + 1, ...(after && { after }) }))
    const shown = rows.slice(0, limit)
    return { items: shown.map(item), ...(rows.length > limit && { next: cursorOf(place(shown.at(-1)!)) }) }
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question()
    } catch (error) {
      throw storeError(error, this.#url)
    }
  }
}

const ledgerEntry = ({ camera, hour, framesIn, withReads, withoutPlate, dead }: LedgerRow): LedgerEntry => ({
  camera,
  hour: new Date(hour).toISOString(),
  framesIn,
  withReads,
  withoutPlate,
  dead,
})

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

import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import type { Hit } from '../model/hit.js'
import type { LedgerRow } from '../model/ledger.js'
import type { Column } from './column.js'
import { changesOf } from './read_changes.js'
import { RowBinary } from './rowbinary.js'
import { checkDatabaseName } from './ddl.js'
import { COUNTS, HITS, LEDGER, LEFT_PLATES, PLATE_TOMBSTONES, READS, type StoredRead } from './tables.js'

/** Rows of one insert. It stays one block, and so one part a partition, which is written atomically. */
const MAX_ROWS = 50_000

const INSERT: ClickHouseSettings = {
  async_insert: 0,
  insert_deduplicate: 1,
  // Without it, a batch whose acknowledgement was lost could be in the table but not in its views.
  deduplicate_blocks_in_dependent_materialized_views: 1,
  // A replay of old feeds may touch more weeks than the default of 100 and would then fail forever.
  max_partitions_per_insert_block: '0',
}

export interface StoreBatch {
  reads: readonly StoredRead[]
  hits: readonly Hit[]
  ledger: readonly LedgerRow[]
}

export interface WriterOptions {
  /** Hears the number of reads that an insert has stored for the first time. */
  onNewReads?: (count: number) => void
}

/** Inserts of reads without an acknowledgement whose counts are kept for a repetition. */
const MAX_UNACKNOWLEDGED = 100

/**
 * Writes batches so that each is stored once, however often it is sent: an insert has the hash of its rows as its
 * deduplication token, and beyond that every table keeps only the highest version of a row.
 */
export class StoreWriter {
  readonly #client: ClickHouseClient
  readonly #database: string
  readonly #onNewReads: (count: number) => void
  /**
   * By token, what the rows of an insert count. Without an acknowledgement the rows may be in `reads` and not yet in
   * the rollups: the repetition must count the same, although the store has the reads by then.
   */
  readonly #unacknowledged = new Map<string, Uint8Array>()

  constructor(client: ClickHouseClient, database: string, { onNewReads = () => {} }: WriterOptions = {}) {
    this.#client = client
    this.#database = checkDatabaseName(database)
    this.#onNewReads = onNewReads
  }

  /**
   * Resolves when the rows are durable. Tables are independent: a failure may leave some of them written, and writing
   * the same batch again completes it.
   * @throws ALPR_ERR_ROW_INVALID naming the field, or the client's error (see `isRetryable`)
   */
  async write(batch: StoreBatch): Promise<void> {
    const reads = chunksOf(batch.reads).map(encodeReads)
    const hits = this.#inserts('hits', HITS, batch.hits)
    const ledger = this.#inserts('ledger', LEDGER, batch.ledger)
    const { counts, left, tombstones } = await changesOf(this.#client, this.#database, batch.reads)
    // First: after a failure here, the repeated batch still finds the older version.
    await all([
      ...this.#inserts('reads_by_plate', PLATE_TOMBSTONES, tombstones),
      ...this.#inserts('plates', LEFT_PLATES, left),
    ])
    await all([
      ...reads.map((rows, chunk) => () => this.#insertReads(rows, counts.subarray(chunk * MAX_ROWS))),
      ...hits,
    ])
    // Last, so that everything that the ledger counts is already stored.
    await all(ledger)
  }

  /** All rows are encoded before any is sent: an invalid row fails its batch before half of it is stored. */
  #inserts<Row>(table: string, columns: readonly Column<Row>[], rows: readonly Row[]): (() => Promise<void>)[] {
    return chunksOf(rows).map((chunk) => {
      const bytes = encodeRows(columns, chunk)
      return () => this.#insert(table, columns, bytes, tokenOf(bytes))
    })
  }

  /** @param fresh what the rows count by what the store had a moment ago; may be longer */
  async #insertReads({ bytes, ends }: EncodedReads, fresh: Uint8Array): Promise<void> {
    // Of the rows without counts, so that a repeated batch has the same token although its reads are known by then.
    const token = tokenOf(bytes)
    const counts = this.#unacknowledged.get(token) ?? fresh.slice(0, ends.length)
    this.#unacknowledged.set(token, counts)
    if (this.#unacknowledged.size > MAX_UNACKNOWLEDGED)
      this.#unacknowledged.delete(this.#unacknowledged.keys().next().value!)
    for (const [index, end] of ends.entries()) bytes[end - 1] = counts[index]!
    await this.#insert('reads', [...READS, COUNTS], bytes, token)
    this.#unacknowledged.delete(token)
    this.#onNewReads(counts.reduce((sum, count) => (count === 2 ? sum + 1 : sum), 0))
  }

  async #insert(table: string, columns: readonly { name: string }[], bytes: Buffer, token: string): Promise<void> {
    const result = await this.#client.exec({
      query:
        `INSERT INTO ${this.#database}.${table} (${columns.map((column) => column.name).join(', ')}) ` +
        'FORMAT RowBinary',
      values: Readable.from([bytes], { objectMode: false }),
      clickhouse_settings: { ...INSERT, insert_deduplication_token: token },
    })
    // The socket returns to its pool once the (empty) response has been read.
    for await (const _ of result.stream);
  }
}

/** Waits for all inserts, so that none is still running when the caller repeats the batch. @throws the first failure */
async function all(inserts: readonly (() => Promise<void>)[]): Promise<void> {
  const results = await Promise.allSettled(inserts.map((insert) => insert()))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

function chunksOf<Row>(rows: readonly Row[]): (readonly Row[])[] {
  const chunks: (readonly Row[])[] = []
  for (let first = 0; first < rows.length; first += MAX_ROWS) chunks.push(rows.slice(first, first + MAX_ROWS))
  return chunks
}

const tokenOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Reads in RowBinary. The last byte of each row is its column `counts`, 0 until it is known. */
interface EncodedReads {
  bytes: Buffer
  /** The offset behind each row. */
  ends: Uint32Array
}

function encodeReads(reads: readonly StoredRead[]): EncodedReads {
  const ends = new Uint32Array(reads.length)
  const out = new RowBinary(Math.max(1_024, reads.length * 320))
  for (const [index, read] of reads.entries()) {
    for (const column of READS) column.encode(out, read)
    out.u8(0)
    ends[index] = out.size
  }
  return { bytes: out.bytes(), ends }
}

/** Rows in RowBinary. @throws ALPR_ERR_ROW_INVALID naming the field */
export function encodeRows<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Buffer {
  const out = new RowBinary(Math.max(1_024, rows.length * 320))
  for (const row of rows) for (const column of columns) column.encode(out, row)
  return out.bytes()
}

import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import type { Hit } from '../model/hit.js'
import type { LedgerRow } from '../model/ledger.js'
import type { Column } from './column.js'
import { plateTombstones } from './plate_tombstones.js'
import { RowBinary } from './rowbinary.js'
import { checkDatabaseName } from './ddl.js'
import { HITS, LEDGER, PLATE_TOMBSTONES, READS, type StoredRead } from './tables.js'

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

/**
 * Writes batches so that each is stored once, however often it is sent: an insert has the hash of its bytes as its
 * deduplication token, and beyond that every table keeps only the highest version of a row.
 */
export class StoreWriter {
  readonly #client: ClickHouseClient
  readonly #database: string
  readonly #settings: ClickHouseSettings

  /** @param settings additional settings of each insert for the form of the schema, see `insertSettings` */
  constructor(client: ClickHouseClient, database: string, settings: ClickHouseSettings = {}) {
    this.#client = client
    this.#database = checkDatabaseName(database)
    this.#settings = { ...INSERT, ...settings }
  }

  /**
   * Resolves when the rows are durable. Tables are independent: a failure may leave some of them written, and writing
   * the same batch again completes it.
   * @throws ALPR_ERR_ROW_INVALID naming the field, or the client's error (see `isRetryable`)
   */
  async write(batch: StoreBatch): Promise<void> {
    const rows = [...this.#inserts('reads', READS, batch.reads), ...this.#inserts('hits', HITS, batch.hits)]
    const ledger = this.#inserts('ledger', LEDGER, batch.ledger)
    const tombstones = this.#inserts(
      'reads_by_plate',
      PLATE_TOMBSTONES,
      await plateTombstones(this.#client, this.#database, batch.reads),
    )
    // First: after a failure here, the repeated batch still finds the older version.
    await all(tombstones)
    await all(rows)
    // Last, so that everything that the ledger counts is already stored.
    await all(ledger)
  }

  /** All rows are encoded before any is sent: an invalid row fails its batch before half of it is stored. */
  #inserts<Row>(table: string, columns: readonly Column<Row>[], rows: readonly Row[]): (() => Promise<void>)[] {
    const inserts: (() => Promise<void>)[] = []
    for (let first = 0; first < rows.length; first += MAX_ROWS) {
      const bytes = encodeRows(columns, rows.slice(first, first + MAX_ROWS))
      inserts.push(() => this.#insert(table, columns, bytes))
    }
    return inserts
  }

  async #insert(table: string, columns: readonly { name: string }[], bytes: Buffer): Promise<void> {
    const token = createHash('sha256').update(bytes).digest('hex')
    const result = await this.#client.exec({
      query:
        `INSERT INTO ${this.#database}.${table} (${columns.map((column) => column.name).join(', ')}) ` +
        'FORMAT RowBinary',
      values: Readable.from([bytes], { objectMode: false }),
      clickhouse_settings: { ...this.#settings, insert_deduplication_token: token },
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

/** Rows in RowBinary. @throws ALPR_ERR_ROW_INVALID naming the field */
export function encodeRows<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Buffer {
  const out = new RowBinary(Math.max(1_024, rows.length * 320))
  for (const row of rows) for (const column of columns) column.encode(out, row)
  return out.bytes()
}

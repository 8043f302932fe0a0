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

/** Rows of one insert: it stays one block, and so one part a partition, written whole or not at all. */
const MAX_ROWS = 50_000

const INSERT: ClickHouseSettings = {
  async_insert: 0,
  insert_deduplicate: 1,
  // Without it a batch whose answer was lost could be in the table but not in its views.
  deduplicate_blocks_in_dependent_materialized_views: 1,
  // A replay of old feeds touches more weeks than the default of 100 allows, and would then fail for ever.
  max_partitions_per_insert_block: '0',
}

export interface Batch {
  reads: readonly StoredRead[]
  hits: readonly Hit[]
  ledger: readonly LedgerRow[]
}

/**
 * Writes batches so that a batch is in the store once, however often it is sent: an insert carries the hash of its
 * bytes as its deduplication token, and under that every table keeps only the highest version of a row.
 */
export class StoreWriter {
  readonly #client: ClickHouseClient
  readonly #database: string
  readonly #settings: ClickHouseSettings

  /** @param settings what the form of the schema adds to each insert, see `insertSettings` */
  constructor(client: ClickHouseClient, database: string, settings: ClickHouseSettings = {}) {
    this.#client = client
    this.#database = checkDatabaseName(database)
    this.#settings = { ...INSERT, ...settings }
  }

  /**
   * Resolves when the rows are durable. Tables are independent: after a failure some may be written; the same batch,
   * sent again, completes it.
   * @throws ALPR_ERR_ROW_INVALID naming the field, or the client's error (see `isRetryable`)
   */
  async write(batch: Batch): Promise<void> {
    const rows = [...this.#inserts('reads', READS, batch.reads), ...this.#inserts('hits', HITS, batch.hits)]
    const ledger = this.#inserts('ledger', LEDGER, batch.ledger)
    const former = this.#inserts(
      'reads_by_plate',
      PLATE_TOMBSTONES,
      await plateTombstones(this.#client, this.#database, batch.reads),
    )
    // First: when it ends here, the batch comes again, and finds the older version still there.
    await all(former)
    await all(rows)
    // Last, so that what the ledger counts can be found.
    await all(ledger)
  }

  /** Everything is encoded before anything is sent: an invalid row is found before half of its batch is stored. */
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
      query: `INSERT INTO ${this.#database}.${table} (${columns.map((column) => column.name).join(', ')}) FORMAT RowBinary`,
      values: Readable.from([bytes], { objectMode: false }),
      clickhouse_settings: { ...this.#settings, insert_deduplication_token: token },
    })
    // The socket goes back to its pool when the (empty) answer has been read.
    for await (const _ of result.stream);
  }
}

/**
 * All are awaited, so that no insert of a batch is still running when the caller sends it again. @throws the first
 * failure
 */
async function all(inserts: readonly (() => Promise<void>)[]): Promise<void> {
  const results = await Promise.allSettled(inserts.map((insert) => insert()))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

export function encodeRows<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Buffer {
  const out = new RowBinary(Math.max(1_024, rows.length * 320))
  for (const row of rows) for (const column of columns) column.encode(out, row)
  return out.bytes()
}

import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { ClickHouseClient } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { STREAMED } from '../store/client.js'
import { checkDatabaseName } from '../store/ddl.js'
import { schemaStatements } from '../store/migrate.js'

/** One piece of a table: rows in ClickHouse's Native format, gzipped. */
export interface TablePiece {
  table: string
  file: string
  rows: number
  sha256: string
}

/** Approximate rows of one piece: the store holds it in memory during its insert. */
const PIECE_ROWS = 200_000

interface TableFacts {
  name: string
  sorting_key: string
  total_rows: string
}

/**
 * Writes every table of the database to files: all versions of each row, and aggregates as states. Writes may continue
 * meanwhile; rows are assigned to pieces by their key, so that merges in between neither lose nor duplicate one.
 * @throws ALPR_ERR_BACKUP_FAILED for the tables of a cluster
 */
export async function dumpTables(
  client: ClickHouseClient,
  database: string,
  folder: string,
  onTable: (table: string, rows: number) => void = () => {},
): Promise<TablePiece[]> {
  const pieces: TablePiece[] = []
  await refuseCluster(client, database)
  for (const { name, sorting_key: key, total_rows: total } of await tablesOf(client, database)) {
    const buckets = Math.max(1, Math.ceil(Number(total) / PIECE_ROWS))
    let all = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      const where = `cityHash64(${key}) % ${buckets} = ${bucket}`
      const file = `${name}.${bucket}.native.gz`
      const sha256 = await dump(
        client,
        `SELECT * FROM ${database}.${name} WHERE ${where} FORMAT Native`,
        join(folder, file),
      )
      // Counted after the dump: with concurrent writes the piece may have fewer rows.
      const [row] = await (
        await client.query({
          query: `SELECT count() AS rows FROM ${database}.${name} WHERE ${where}`,
          format: 'JSONEachRow',
        })
      ).json<{ rows: string }>()
      pieces.push({ table: name, file, rows: Number(row!.rows), sha256 })
      all += Number(row!.rows)
    }
    onTable(name, all)
  }
  return pieces
}

/**
 * Fills empty tables. The views that fill other tables are dropped meanwhile, because the backup contains their rows.
 * @throws ALPR_ERR_BACKUP_FAILED when a table is not empty or a file differs from the one that was written
 */
export async function loadTables(
  client: ClickHouseClient,
  database: string,
  folder: string,
  pieces: readonly TablePiece[],
  onTable: (table: string) => void = () => {},
): Promise<void> {
  const views = schemaStatements(checkDatabaseName(database)).filter((statement) =>
    statement.startsWith('CREATE MATERIALIZED VIEW'),
  )
  const tables = await tablesOf(client, database)
  const unknown = pieces.find(({ table }) => !tables.some(({ name }) => name === table))
  if (unknown)
    throw new AlprError('ALPR_ERR_BACKUP_FAILED', {
      what: `table ${unknown.table}`,
      reason: 'the schema of this program has no such table',
    })
  const full = tables.filter(({ name, total_rows: rows }) => name !== 'schema_version' && Number(rows) > 0)
  if (full.length > 0)
    throw new AlprError('ALPR_ERR_BACKUP_FAILED', {
      what: `database ${database}`,
      reason: `table ${full[0]!.name} has rows; a backup is restored into an empty one`,
    })
  for (const view of views) await client.command({ query: `DROP VIEW IF EXISTS ${/EXISTS (\S+)/.exec(view)![1]}` })
  try {
    for (const { table, file, sha256 } of pieces) {
      if (table === 'schema_version') continue
      await load(client, `INSERT INTO ${database}.${table} FORMAT Native`, join(folder, file), sha256)
      onTable(table)
    }
  } finally {
    for (const view of views) await client.command({ query: view })
  }
}

/** A dump has what one server stores, which of a cluster is one shard. @throws ALPR_ERR_BACKUP_FAILED */
async function refuseCluster(client: ClickHouseClient, database: string): Promise<void> {
  const result = await client.query({
    query: "SELECT name FROM system.tables WHERE database = {database:String} AND engine = 'Distributed' LIMIT 1",
    query_params: { database: checkDatabaseName(database) },
    format: 'JSONEachRow',
  })
  const [spread] = await result.json<{ name: string }>()
  if (spread)
    throw new AlprError('ALPR_ERR_BACKUP_FAILED', {
      what: `database ${database}`,
      reason: `table ${spread.name} is spread over a cluster; use BACKUP of ClickHouse for it`,
    })
}

async function tablesOf(client: ClickHouseClient, database: string): Promise<TableFacts[]> {
  const result = await client.query({
    query:
      'SELECT name, sorting_key, toString(ifNull(total_rows, 0)) AS total_rows FROM system.tables ' +
      "WHERE database = {database:String} AND engine LIKE '%MergeTree' ORDER BY name",
    query_params: { database: checkDatabaseName(database) },
    format: 'JSONEachRow',
  })
  return result.json<TableFacts>()
}

/** Streams the result of a query to a file. @returns its SHA-256, hex */
async function dump(client: ClickHouseClient, query: string, file: string): Promise<string> {
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform: (piece: Buffer, _, done) => {
      hash.update(piece)
      done(null, piece)
    },
  })
  const { stream } = await client.exec({ query, clickhouse_settings: STREAMED })
  await pipeline(stream, createGzip({ level: 1 }), hashing, createWriteStream(file, { mode: 0o600 }))
  return hash.digest('hex')
}

async function load(client: ClickHouseClient, query: string, file: string, sha256: string): Promise<void> {
  // Verified before any row is inserted.
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) hash.update(piece)
  if (hash.digest('hex') !== sha256)
    throw new AlprError('ALPR_ERR_BACKUP_FAILED', { what: file, reason: 'it differs from the file that was written' })
  const values = createReadStream(file).pipe(createGunzip())
  const { stream } = await client.exec({
    query,
    values,
    clickhouse_settings: { insert_deduplicate: 0, max_partitions_per_insert_block: '0' },
  })
  for await (const _ of stream);
}

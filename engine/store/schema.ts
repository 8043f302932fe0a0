import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { columnsDdl } from './column.js'
import { HITS, LEDGER, READS } from './tables.js'

/**
 * Where the schema will live. One source writes both: on one node (embedded or a server) plain tables; on a cluster `<table>_local` with
 * replicas, and a Distributed table under the plain name, so that every query is the same.
 */
export type Form = { kind: 'single' } | { kind: 'cluster'; cluster: string }
export const SINGLE: Form = { kind: 'single' }

interface Table {
  name: string
  columns: readonly { name: string; type: string; codec: string }[]
  /** Column by which ReplacingMergeTree keeps the highest. */
  version: string
  partition: string
  order: string
  /** Sharding key of the Distributed table; never a column that a later version of the row may change. */
  shard: string
}

/**
 * Key (cell, ts, read_id): a canvass asks for an area and a time. A read's first position and time never change, so all its versions meet in
 * one partition and one key. By week, because retention drops weeks. (Rollups `plates` and `camera_hour` will hang off this table.)
 */
const reads: Table = { name: 'reads', columns: READS, version: 'version', partition: 'toMonday(ts)', order: 'cell, ts, read_id', shard: 'sipHash64(read_id)' }

/**
 * History of a plate: an index into `reads`. A later version of a read may have another plate and leaves the row of the old one here, so a
 * question goes through `reads FINAL` by (cell, ts, read_id) and asks for the plate again.
 */
const BY_PLATE = ['plate', 'ts', 'read_id', 'version', 'cell', 'camera', 'confidence']
const readsByPlate: Table = {
  name: 'reads_by_plate', version: 'version', partition: 'toYYYYMM(ts)', order: 'plate, ts, read_id', shard: 'sipHash64(read_id)',
  columns: BY_PLATE.map((name) => READS.find((column) => column.name === name)!).map((column) => ({ ...column, codec: column.name === 'read_id' ? 'T64, ZSTD(1)' : column.codec })),
}

/** By time first: dispatch looks at the latest hits of all lists, and there are few hits to filter by list. */
const hits: Table = { name: 'hits', columns: HITS, version: 'revision', partition: 'toMonday(ts)', order: 'ts, hit_id', shard: 'sipHash64(read_id)' }

const ledger: Table = { name: 'ledger', columns: LEDGER, version: 'version', partition: 'toYYYYMM(hour)', order: 'camera, hour, part', shard: 'sipHash64(camera)' }

/** A step of the schema. Once released it never changes; what comes later is a new step. Each statement may run twice. */
interface Migration { version: number; name: string; statements: (database: string, form: Form) => string[] }

const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'reads, history by plate, hits, ledger',
    statements: (database, form) => [
      ...createTable(database, reads, form),
      ...createTable(database, readsByPlate, form),
      createView(database, readsByPlate, reads, "plate != ''", form),
      ...createTable(database, hits, form),
      ...createTable(database, ledger, form),
    ],
  },
  { version: 2, name: 'glare of a read', statements: (database, form) => addColumn(database, reads, 'glare', 'contrast', form) },
]

export const SCHEMA_VERSION = MIGRATIONS.at(-1)!.version

/** Settings of each insert that the form needs for 'written means kept'. On one node the tables fsync; in a cluster a quorum has the rows. */
export const insertSettings = (form: Form): ClickHouseSettings =>
  form.kind === 'single' ? {} : { insert_distributed_sync: 1, insert_quorum: 'auto', insert_quorum_parallel: 1 } as ClickHouseSettings

/** Everything that makes the schema from nothing, in order; for reading, for tests, and for clusters set up by hand. */
export function schemaStatements(database: string, form: Form = SINGLE): string[] {
  checkName(database)
  return [createDatabase(database, form), createVersionTable(database, form), ...MIGRATIONS.flatMap((step) => step.statements(database, form))]
}

/**
 * Brings the schema up to date. Safe when several processes do so at once: every statement says IF NOT EXISTS, and a step is noted only when
 * all of it is done.
 * @throws ALPR_ERR_SCHEMA_NEWER when a newer program has been here
 */
export async function migrate(client: ClickHouseClient, database: string, form: Form = SINGLE): Promise<void> {
  checkName(database)
  const run = (query: string) => client.command({ query })
  await run(createDatabase(database, form))
  await run(createVersionTable(database, form))
  const found = await schemaVersion(client, database)
  if (found > SCHEMA_VERSION) throw new AlprError('ALPR_ERR_SCHEMA_NEWER', { found, known: SCHEMA_VERSION })
  for (const step of MIGRATIONS) {
    if (step.version <= found) continue
    for (const statement of step.statements(database, form)) await run(statement)
    await client.command({
      query: `INSERT INTO ${database}.schema_version (version, name) SELECT {version:UInt32}, {name:String}`,
      query_params: { version: step.version, name: step.name },
    })
  }
}

async function schemaVersion(client: ClickHouseClient, database: string): Promise<number> {
  const result = await client.query({ query: `SELECT max(version) AS version FROM ${database}.schema_version`, format: 'JSONEachRow' })
  return Number((await result.json<{ version: number }>())[0]?.version ?? 0)
}

/** The name goes into DDL, where parameters cannot. @throws ALPR_ERR_SETTINGS_INVALID */
export function checkName(database: string): string {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(database)) throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: 'clickhouse.database', reason: 'must be a name of a-z, 0-9 and _' })
  return database
}

const onCluster = (form: Form): string => (form.kind === 'cluster' ? ` ON CLUSTER '${form.cluster}'` : '')
const stored = (name: string, form: Form): string => (form.kind === 'cluster' ? `${name}_local` : name)

/** Atomic, not the default of clickhouse-local: only there are CREATE and DROP safe while queries run. */
function createDatabase(database: string, form: Form): string {
  return `CREATE DATABASE IF NOT EXISTS ${database}${onCluster(form)} ENGINE = Atomic`
}

function createVersionTable(database: string, form: Form): string {
  const engine = form.kind === 'cluster'
    ? `ReplicatedReplacingMergeTree('/clickhouse/tables/${database}/schema_version', '{shard}-{replica}')`
    : 'ReplacingMergeTree'
  return `CREATE TABLE IF NOT EXISTS ${database}.schema_version${onCluster(form)} (\n` +
    "  version UInt32,\n  name String,\n  applied_at DateTime64(3, 'UTC') DEFAULT now64(3)\n" +
    `)\nENGINE = ${engine}\nORDER BY version${settingsOf(form)}`
}

function createTable(database: string, table: Table, form: Form): string[] {
  const name = stored(table.name, form)
  const engine = form.kind === 'cluster'
    ? `ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/${database}/${name}', '{replica}', ${table.version})`
    : `ReplacingMergeTree(${table.version})`
  const local = `CREATE TABLE IF NOT EXISTS ${database}.${name}${onCluster(form)} (\n${columnsDdl(table.columns)}\n)\n` +
    `ENGINE = ${engine}\nPARTITION BY ${table.partition}\nORDER BY (${table.order})${settingsOf(form)}`
  if (form.kind === 'single') return [local]
  return [local, `CREATE TABLE IF NOT EXISTS ${database}.${table.name}${onCluster(form)} AS ${database}.${name}\n` +
    `ENGINE = Distributed('${form.cluster}', '${database}', '${name}', ${table.shard})`]
}

/** For a data folder of before the column; a new one has it from the start. */
function addColumn(database: string, table: Table, name: string, after: string, form: Form): string[] {
  const ddl = columnsDdl(table.columns.filter((column) => column.name === name)).trim()
  const names = form.kind === 'single' ? [table.name] : [stored(table.name, form), table.name]
  return names.map((of) => `ALTER TABLE ${database}.${of}${onCluster(form)} ADD COLUMN IF NOT EXISTS ${of === table.name && form.kind === 'cluster' ? ddl.replace(/ CODEC\(.*\)$/, '') : ddl} AFTER ${after}`)
}

function createView(database: string, to: Table, from: Table, where: string, form: Form): string {
  const target = stored(to.name, form)
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.${target}_view${onCluster(form)} TO ${database}.${target} AS\n` +
    `SELECT ${to.columns.map((column) => column.name).join(', ')}\nFROM ${database}.${stored(from.name, form)}\nWHERE ${where}`
}

/**
 * One node: a part is on disk when the insert is answered (3 to 4 ms a batch), and a batch sent again after a lost answer is known by its
 * token. Replicas do the second by themselves.
 */
function settingsOf(form: Form): string {
  return form.kind === 'cluster' ? '' : '\nSETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000'
}

import type { ClickHouseClient, ClickHouseSettings } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { columnsDdl } from './column.js'
import { BY_PLATE, BY_PLATE_DERIVED, GONE, HITS, LEDGER, READS, READS_DERIVED } from './tables.js'
import { COPYING, readsFromBefore } from './migrations/006_compact_reads.js'
import { CAMERA_CELLS, CAMERA_HOUR, PLATES, PURGES, SEALS, type RollupColumn } from './rollups.js'

/**
 * Where the schema will live. One source writes both: on one node (embedded or a server) plain tables; on a cluster
 * `<table>_local` with replicas, and a Distributed table under the plain name, so that every query is the same.
 */
export type Form = { kind: 'single' } | { kind: 'cluster'; cluster: string }
export const SINGLE: Form = { kind: 'single' }

interface Table {
  name: string
  columns: readonly { name: string; type: string; codec: string }[]
  /** What follows from its columns and may be asked for like one. */
  derived?: readonly { name: string; type: string; of: string }[]
  /** Column by which ReplacingMergeTree keeps the highest; none where equal keys are equal rows. */
  version?: string
  partition: string
  order: string
  /** Of the folder in Keeper: a table that was made anew must not meet what is left of the old one. */
  generation?: number
  /** Settings of the table beside those that all have. */
  settings?: Readonly<Record<string, string | number>>
  /** Sharding key of the Distributed table; never a column that a later version of the row may change. */
  shard: string
}

/**
 * A lookup of one read decodes a granule of each column it wants: with ClickHouse's 8,192 rows that was most of a
 * history's time. Small granules need small compressed blocks, or each of them decodes its neighbours too.
 */
const FINE = { index_granularity: 1_024, min_compress_block_size: 8_192, max_compress_block_size: 65_536 }
/** Weeks (and quarters) that have come to rest become one part, which FINAL then reads as it is, seconds. */
const AT_REST = { min_age_to_force_merge_seconds: 7_200, min_age_to_force_merge_on_partition_only: 1 }

/**
 * Key (cell, ts, read_id): a canvass asks for an area and a time. A read's first position and time never change, so all
 * its versions meet in one partition and one key. By week, because retention drops weeks.
 */
const reads: Table = {
  name: 'reads',
  columns: READS,
  derived: READS_DERIVED,
  version: 'version',
  partition: 'toMonday(ts)',
  order: 'cell, ts, read_id',
  shard: 'sipHash64(read_id)',
  generation: 2,
  settings: { ...FINE, ...AT_REST },
}

/**
 * History of a plate: all that is shown of its reads, side by side, so that a year of it is one look. A later version
 * of a read may have another text: then the writer marks the row under the old one as gone (former_texts.ts). By
 * quarters: few parts to look into, and a purge rewrites one of them.
 */
const readsByPlate: Table = {
  name: 'reads_by_plate',
  columns: [...BY_PLATE, GONE],
  derived: BY_PLATE_DERIVED,
  version: 'version',
  partition: 'toStartOfQuarter(ts)',
  order: 'plate, ts, read_id',
  shard: 'sipHash64(read_id)',
  generation: 3,
  settings: { ...FINE, ...AT_REST },
}

/** By time first: dispatch looks at the latest hits of all lists, and there are few hits to filter by list. */
const hits: Table = {
  name: 'hits',
  columns: HITS,
  version: 'revision',
  partition: 'toMonday(ts)',
  order: 'ts, hit_id',
  shard: 'sipHash64(read_id)',
}

const ledger: Table = {
  name: 'ledger',
  columns: LEDGER,
  version: 'version',
  partition: 'toYYYYMM(hour)',
  order: 'camera, hour, part',
  shard: 'sipHash64(camera)',
}

/**
 * Rows under legal hold (RET-3): no TTL, never purged, the same columns and key as `reads`; by year, because there are
 * few.
 */
const readsHeld: Table = { ...reads, name: 'reads_held', partition: 'toYear(ts)', settings: FINE }

/**
 * What a purge did, each step a row of its own with a higher version; weeks that stand here answer from `reads_held`
 * only.
 */
const purges: Table = {
  name: 'purges',
  columns: PURGES,
  version: 'version',
  partition: 'tuple()',
  order: 'week',
  shard: 'sipHash64(week)',
}

/** Weeks whose `camera_hour` was made anew from `reads FINAL`: from then on it is exact. */
const seals: Table = {
  name: 'rollup_seals',
  columns: SEALS,
  version: 'version',
  partition: 'tuple()',
  order: 'week',
  shard: 'sipHash64(week)',
}

/** A table that a view fills and merges add up. */
interface Rollup {
  name: string
  columns: readonly RollupColumn[]
  partition: string
  order: string
  shard: string
  where: string
  group: string
}

/**
 * Every distinct plate: feeds the WASM dictionary and tells how much a pattern will find. Text and region together, as
 * the dictionary keeps them.
 */
const plates: Rollup = {
  name: 'plates',
  columns: PLATES,
  partition: 'tuple()',
  order: 'plate, region',
  shard: 'sipHash64(plate)',
  where: "plate != ''",
  group: 'plate, region',
}

/**
 * Reads per camera and hour, and the sums that quality averages are made of: whether a camera gets worse is a question
 * of months.
 */
const cameraHour: Rollup = {
  name: 'camera_hour',
  columns: CAMERA_HOUR,
  partition: 'toMonday(hour)',
  order: 'camera, hour',
  shard: 'sipHash64(camera)',
  where: '1',
  group: 'camera, hour',
}

/**
 * Where a camera has been: one cell for a fixed one. Turns a set of cameras into cells, by which `reads` is ordered.
 */
const cameraCells: Rollup = {
  name: 'camera_cells',
  columns: CAMERA_CELLS,
  partition: 'tuple()',
  order: 'camera, cell',
  shard: 'sipHash64(camera)',
  where: '1',
  group: 'camera, cell',
}

const ROLLUPS = { plates, camera_hour: cameraHour, camera_cells: cameraCells }
export type RollupName = keyof typeof ROLLUPS

/**
 * A step of the schema. Once released it never changes; what comes later is a new step. Each statement may run twice.
 */
interface Migration {
  version: number
  name: string
  statements: (database: string, form: Form) => Step[]
}
/** A statement, or one for folders of before only: it runs while `table` has `column`, or lacks it. */
export type Step = string | { sql: string; while: { table: string; column: string; lacks?: true } }

const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'reads, history by plate, hits, ledger',
    statements: (database, form) => [
      ...createTable(database, reads, form),
      ...createTable(database, readsByPlate, form),
      createByPlateView(database, form),
      ...createTable(database, hits, form),
      ...createTable(database, ledger, form),
    ],
  },
  {
    version: 2,
    name: 'glare of a read',
    statements: (database, form) => addColumn(database, reads, 'glare', 'contrast', form),
  },
  {
    version: 3,
    name: 'rollups: distinct plates, reads and quality by camera and hour, cells of a camera',
    statements: (database, form) =>
      Object.values(ROLLUPS).flatMap((rollup) => createRollup(database, rollup, reads, form)),
  },
  {
    version: 4,
    name: 'held reads, proofs of purges, sealed weeks',
    statements: (database, form) => [readsHeld, purges, seals].flatMap((table) => createTable(database, table, form)),
  },
  {
    version: 5,
    name: 'rollups of what was stored before them',
    statements: (database, form) =>
      Object.values(ROLLUPS).flatMap((rollup) => fillRollup(database, rollup, reads, form)),
  },
  {
    version: 6,
    name: 'reads in half the bytes: numbers with the digits that mean something, finer granules, a slim index by plate',
    statements: (database, form) =>
      readsFromBefore({
        database,
        onCluster: onCluster(form),
        stored: (name) => stored(name, form),
        cluster: form.kind === 'cluster',
        tables: {
          reads: createTable(database, reads, form),
          readsHeld: createTable(database, readsHeld, form),
          readsByPlate: createTable(database, readsByPlate, form),
        },
        views: [
          createByPlateView(database, form),
          ...Object.values(ROLLUPS).map((rollup) => createRollup(database, rollup, reads, form).at(-1)!),
        ],
        dropByPlate: dropByPlate(database, form),
        rollups: Object.keys(ROLLUPS),
      }),
  },
  {
    version: 7,
    name: 'history by plate in one look: the index has all that is shown',
    statements: (database, form) => byPlateAnew(database, form),
  },
]

export const SCHEMA_VERSION = MIGRATIONS.at(-1)!.version

/**
 * Settings of each insert that the form needs for 'written means kept'. On one node the tables fsync; in a cluster a
 * quorum has the rows.
 */
export const insertSettings = (form: Form): ClickHouseSettings =>
  form.kind === 'single'
    ? {}
    : ({ insert_distributed_sync: 1, insert_quorum: 'auto', insert_quorum_parallel: 1 } as ClickHouseSettings)

/** Everything that makes the schema from nothing, in order; for reading, for tests, and for clusters set up by hand. */
export function schemaStatements(database: string, form: Form = SINGLE): string[] {
  checkName(database)
  const all = MIGRATIONS.flatMap((step) => step.statements(database, form)).filter((step) => typeof step === 'string')
  // What a later step says again (IF NOT EXISTS) is told once.
  return [createDatabase(database, form), createVersionTable(database, form), ...new Set(all)]
}

/**
 * Brings the schema up to date. Safe when several processes do so at once, and when one ends in the middle: every
 * statement may run twice (IF NOT EXISTS, or a table emptied before it is filled), and a step is noted only when all of
 * it is done.
 * @param said hears of each step before it begins; steps that were done before are not told
 * @throws ALPR_ERR_SCHEMA_NEWER when a newer program has been here
 */
export async function migrate(
  client: ClickHouseClient,
  database: string,
  form: Form = SINGLE,
  said: (step: { version: number; name: string }) => void = () => {},
): Promise<void> {
  checkName(database)
  const run = (query: string) => client.command({ query })
  await run(createDatabase(database, form))
  await run(createVersionTable(database, form))
  const found = await schemaVersion(client, database)
  if (found > SCHEMA_VERSION) throw new AlprError('ALPR_ERR_SCHEMA_NEWER', { found, known: SCHEMA_VERSION })
  for (const step of MIGRATIONS) {
    if (step.version <= found) continue
    said(step)
    for (const statement of step.statements(database, form)) {
      if (typeof statement === 'string') await run(statement)
      else await runWhile(client, database, statement)
    }
    await client.command({
      query: `INSERT INTO ${database}.schema_version (version, name) SELECT {version:UInt32}, {name:String}`,
      query_params: { version: step.version, name: step.name },
    })
  }
}

/** The step that the store is at, 0 for none. @throws when there is no such database */
export async function schemaVersion(client: ClickHouseClient, database: string): Promise<number> {
  const result = await client.query({
    query: `SELECT max(version) AS version FROM ${database}.schema_version`,
    format: 'JSONEachRow',
  })
  return Number((await result.json<{ version: number }>())[0]?.version ?? 0)
}

/** Another process may do the same: what fails because it was first is done. */
async function runWhile(
  client: ClickHouseClient,
  database: string,
  { sql, while: still }: Exclude<Step, string>,
): Promise<void> {
  if (!(await holds(client, database, still))) return
  try {
    await client.command({ query: sql, clickhouse_settings: { max_execution_time: 3_600 } })
  } catch (error) {
    if (await holds(client, database, still)) throw error
  }
}

async function holds(
  client: ClickHouseClient,
  database: string,
  { table, column, lacks }: Exclude<Step, string>['while'],
): Promise<boolean> {
  const result = await client.query({
    query:
      'SELECT count() AS n FROM system.columns WHERE database = {database:String} AND table = {table:String} AND name = {column:String}',
    query_params: { database, table, column },
    format: 'JSONEachRow',
  })
  return Number((await result.json<{ n: string }>())[0]?.n ?? 0) > 0 !== (lacks === true)
}

/** The name goes into DDL, where parameters cannot. @throws ALPR_ERR_SETTINGS_INVALID */
export function checkName(database: string): string {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(database))
    throw new AlprError('ALPR_ERR_SETTINGS_INVALID', {
      key: 'clickhouse.database',
      reason: 'must be a name of a-z, 0-9 and _',
    })
  return database
}

const onCluster = (form: Form): string => (form.kind === 'cluster' ? ` ON CLUSTER '${form.cluster}'` : '')
const stored = (name: string, form: Form): string => (form.kind === 'cluster' ? `${name}_local` : name)

/** Atomic, not the default of clickhouse-local: only there are CREATE and DROP safe while queries run. */
function createDatabase(database: string, form: Form): string {
  return `CREATE DATABASE IF NOT EXISTS ${database}${onCluster(form)} ENGINE = Atomic`
}

function createVersionTable(database: string, form: Form): string {
  const engine =
    form.kind === 'cluster'
      ? `ReplicatedReplacingMergeTree('/clickhouse/tables/${database}/schema_version', '{shard}-{replica}')`
      : 'ReplacingMergeTree'
  return (
    `CREATE TABLE IF NOT EXISTS ${database}.schema_version${onCluster(form)} (\n` +
    "  version UInt32,\n  name String,\n  applied_at DateTime64(3, 'UTC') DEFAULT now64(3)\n" +
    `)\nENGINE = ${engine}\nORDER BY version${settingsOf(form)}`
  )
}

function createTable(database: string, table: Table, form: Form): string[] {
  const name = stored(table.name, form)
  const version = table.version === undefined ? '' : table.version
  const folder = `/clickhouse/tables/{shard}/${database}/${name}${table.generation === undefined ? '' : `_${table.generation}`}`
  const engine =
    form.kind === 'cluster'
      ? `ReplicatedReplacingMergeTree('${folder}', '{replica}'${version && `, ${version}`})`
      : `ReplacingMergeTree${version && `(${version})`}`
  const derived = (table.derived ?? [])
    .map((column) => `,\n  ${column.name} ${column.type} ALIAS ${column.of}`)
    .join('')
  const local =
    `CREATE TABLE IF NOT EXISTS ${database}.${name}${onCluster(form)} (\n${columnsDdl(table.columns)}${derived}\n)\n` +
    `ENGINE = ${engine}\nPARTITION BY ${table.partition}\nORDER BY (${table.order})${settingsOf(form, table.settings)}`
  if (form.kind === 'single') return [local]
  return [
    local,
    `CREATE TABLE IF NOT EXISTS ${database}.${table.name}${onCluster(form)} AS ${database}.${name}\n` +
      `ENGINE = Distributed('${form.cluster}', '${database}', '${name}', ${table.shard})`,
  ]
}

/** For a data folder of before the column; a new one has it from the start. */
function addColumn(database: string, table: Table, name: string, after: string, form: Form): string[] {
  const ddl = columnsDdl(table.columns.filter((column) => column.name === name)).trim()
  const names = form.kind === 'single' ? [table.name] : [stored(table.name, form), table.name]
  return names.map(
    (of) =>
      `ALTER TABLE ${database}.${of}${onCluster(form)} ADD COLUMN IF NOT EXISTS ${of === table.name && form.kind === 'cluster' ? ddl.replace(/ CODEC\(.*\)$/, '') : ddl} AFTER ${after}`,
  )
}

/** What the index by plate takes from each read as it is written. */
function createByPlateView(database: string, form: Form): string {
  const target = stored(readsByPlate.name, form)
  return `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.${target}_view${onCluster(form)} TO ${database}.${target} AS\n${selectByPlate(database, stored(reads.name, form))}`
}

const selectByPlate = (database: string, from: string): string =>
  `SELECT ${BY_PLATE.map((column) => column.name).join(', ')}\nFROM ${database}.${from}\nWHERE plate != ''`

/**
 * The index by plate of before is dropped and made anew from the reads. Everything in it comes from them, so this may
 * be cut short and run again, and what is written meanwhile is in it by the view, or by the copy, or by both, which is
 * the same row.
 */
function byPlateAnew(database: string, form: Form): Step[] {
  return [
    ...dropByPlate(database, form),
    ...createTable(database, readsByPlate, form),
    createByPlateView(database, form),
    {
      sql: `INSERT INTO ${database}.${readsByPlate.name} (${BY_PLATE.map((column) => column.name).join(', ')})\n${selectByPlate(database, 'reads FINAL')}\n${COPYING}`,
      while: { table: stored(reads.name, form), column: 'cell' },
    },
  ]
}

/** Of before: today's has a column that none of the earlier ones had. */
function dropByPlate(database: string, form: Form): Step[] {
  const { name } = readsByPlate
  const target = stored(name, form)
  const statements = [
    `DROP VIEW IF EXISTS ${database}.${target}_view${onCluster(form)} SYNC`,
    ...(form.kind === 'cluster' ? [`DROP TABLE IF EXISTS ${database}.${name}${onCluster(form)} SYNC`] : []),
    `DROP TABLE IF EXISTS ${database}.${target}${onCluster(form)} SYNC`,
  ]
  return statements.map((sql) => ({ sql, while: { table: target, column: GONE.name, lacks: true } }))
}

/** How a rollup is made of reads: also for the job that makes a week of it anew. */
export function rollupSelect(database: string, name: RollupName, from: string, and = '1'): string {
  checkName(database)
  const rollup = ROLLUPS[name]
  return `SELECT ${rollup.columns.map((column) => `${column.of} AS ${column.name}`).join(', ')}\nFROM ${database}.${from}\nWHERE ${rollup.where} AND ${and}\nGROUP BY ${rollup.group}`
}

export const rollupColumns = (name: RollupName): string[] => ROLLUPS[name].columns.map((column) => column.name)

function createRollup(database: string, rollup: Rollup, from: Table, form: Form, view = true): string[] {
  const name = stored(rollup.name, form)
  const engine =
    form.kind === 'cluster'
      ? `ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/${database}/${name}', '{replica}')`
      : 'AggregatingMergeTree'
  const local =
    `CREATE TABLE IF NOT EXISTS ${database}.${name}${onCluster(form)} (\n${columnsDdl(rollup.columns)}\n)\n` +
    `ENGINE = ${engine}\nPARTITION BY ${rollup.partition}\nORDER BY (${rollup.order})${settingsOf(form)}`
  // Columns in their order, and aggregates by name: the view inserts by name.
  const feed =
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.${name}_view${onCluster(form)} TO ${database}.${name} AS\n` +
    `SELECT ${rollup.columns.map((column) => `${column.of} AS ${column.name}`).join(', ')}\nFROM ${database}.${stored(from.name, form)}\nWHERE ${rollup.where}\nGROUP BY ${rollup.group}`
  if (form.kind === 'single') return view ? [local, feed] : [local]
  return [
    local,
    `CREATE TABLE IF NOT EXISTS ${database}.${rollup.name}${onCluster(form)} AS ${database}.${name}\n` +
      `ENGINE = Distributed('${form.cluster}', '${database}', '${name}', ${rollup.shard})`,
    feed,
  ]
}

/**
 * For a data folder of before the rollups. Emptied first, so that a step cut short does not count twice; migrations run
 * before the engine writes, and what it may write meanwhile all the same is put right by the rollup check. On a cluster
 * each shard fills its own.
 */
function fillRollup(database: string, rollup: Rollup, from: Table, form: Form): string[] {
  const name = stored(rollup.name, form)
  return [
    `TRUNCATE TABLE ${database}.${name}${onCluster(form)}`,
    `INSERT INTO ${database}.${rollup.name} (${rollup.columns.map((column) => column.name).join(', ')})\n` +
      `SELECT ${rollup.columns.map((column) => `${column.of} AS ${column.name}`).join(', ')}\nFROM ${database}.${from.name} FINAL\nWHERE ${rollup.where}\nGROUP BY ${rollup.group}\n` +
      'SETTINGS max_bytes_before_external_group_by = 500000000, max_partitions_per_insert_block = 0',
  ]
}

/**
 * One node: a part is on disk when the insert is answered (3 to 4 ms a batch), and a batch sent again after a lost
 * answer is known by its token. Replicas do the second by themselves.
 */
function settingsOf(form: Form, more: Readonly<Record<string, string | number>> = {}): string {
  const all = {
    ...(form.kind === 'single' && {
      fsync_after_insert: 1,
      fsync_part_directory: 1,
      non_replicated_deduplication_window: 1000,
    }),
    ...more,
  }
  const list = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  return list.length === 0 ? '' : `\nSETTINGS ${list.join(', ')}`
}

import type { ClickHouseSettings } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import type { Settings } from '../settings.js'
import { columnsDdl } from './column.js'

/**
 * Where the schema lives. One source writes both forms: on one node (embedded or a server) plain tables; on a cluster
 * `<table>_local` with replicas, and a Distributed table under the plain name, so that every query is the same.
 */
export type Form = { kind: 'single' } | { kind: 'cluster'; cluster: string }
export const SINGLE: Form = { kind: 'single' }

/** A table that is written row by row. */
export interface Table {
  name: string
  columns: readonly { name: string; type: string; default?: string; codec: string }[]
  /** ALIAS columns: computed from stored ones, queried like them. */
  derived?: readonly { name: string; type: string; of: string }[]
  /** ReplacingMergeTree keeps the row with the highest value of this column; absent where equal keys are equal rows. */
  version?: string
  partition: string
  order: string
  /** Suffix of the folder in Keeper: a rebuilt table must not meet the remains of the old one. */
  generation?: number
  /** Settings of this table beyond those of every table. */
  settings?: Readonly<Record<string, string | number>>
  /** Sharding key of the Distributed table; never a column that a later version of the row may change. */
  shard: string
}

/** The name goes into DDL, which takes no parameters. @throws ALPR_ERR_SETTINGS_INVALID */
export function checkDatabaseName(database: string): string {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(database))
    throw new AlprError('ALPR_ERR_SETTINGS_INVALID', {
      key: 'clickhouse.database',
      reason: 'must be a name of a-z, 0-9 and _',
    })
  return database
}

/** The form that the settings ask for. */
export const formOf = ({ clickhouse: { cluster } }: Pick<Settings, 'clickhouse'>): Form =>
  cluster === '' ? SINGLE : { kind: 'cluster', cluster }

/**
 * Settings of every statement in this form. On one node the tables fsync; in a cluster an insert waits for every shard,
 * and on each for a majority of its replicas. Deduplication tokens travel to the shards: a repeated batch is dropped on
 * those that have it and stored on the others.
 */
export const formSettings = (form: Form): ClickHouseSettings =>
  form.kind === 'single'
    ? {}
    : ({
        insert_distributed_sync: 1,
        insert_quorum: 'auto',
        insert_quorum_parallel: 1,
        // ClickHouse 26.7 loses the key columns of a Distributed table with ALIAS columns in ORDER BY ... LIMIT.
        query_plan_optimize_lazy_materialization: 0,
      } as ClickHouseSettings)

/** The clause that makes a DDL statement run on every node. */
export const onCluster = (form: Form): string => (form.kind === 'cluster' ? ` ON CLUSTER '${form.cluster}'` : '')
/** Name of the table that holds the rows on this node. */
export const storedName = (name: string, form: Form): string => (form.kind === 'cluster' ? `${name}_local` : name)

/** Atomic, which is not the default of clickhouse-local: only there are CREATE and DROP safe while queries run. */
export function createDatabase(database: string, form: Form): string {
  return `CREATE DATABASE IF NOT EXISTS ${database}${onCluster(form)} ENGINE = Atomic`
}

export function createVersionTable(database: string, form: Form): string {
  const engine =
    form.kind === 'cluster'
      ? `ReplicatedReplacingMergeTree('/clickhouse/tables/${database}/schema_version', '{shard}-{replica}')`
      : 'ReplacingMergeTree'
  return (
    `CREATE TABLE IF NOT EXISTS ${database}.schema_version${onCluster(form)} (\n` +
    "  version UInt32,\n  name String,\n  applied_at DateTime64(3, 'UTC') DEFAULT now64(3)\n" +
    `)\nENGINE = ${engine}\nORDER BY version${tableSettings(form)}`
  )
}

/** One statement on a single node; on a cluster also the Distributed table. */
export function createTable(database: string, table: Table, form: Form): string[] {
  const name = storedName(table.name, form)
  const version = table.version ?? ''
  const generation = table.generation === undefined ? '' : `_${table.generation}`
  const folder = `/clickhouse/tables/{shard}/${database}/${name}${generation}`
  const engine =
    form.kind === 'cluster'
      ? `ReplicatedReplacingMergeTree('${folder}', '{replica}'${version && `, ${version}`})`
      : `ReplacingMergeTree${version && `(${version})`}`
  const derived = (table.derived ?? [])
    .map((column) => `,\n  ${column.name} ${column.type} ALIAS ${column.of}`)
    .join('')
  const local =
    `CREATE TABLE IF NOT EXISTS ${database}.${name}${onCluster(form)} (\n${columnsDdl(table.columns)}${derived}\n)\n` +
    `ENGINE = ${engine}\nPARTITION BY ${table.partition}\nORDER BY (${table.order})` +
    tableSettings(form, table.settings)
  return [local, ...createDistributed(database, table, form)]
}

/** The table that spreads queries and inserts over the shards; none on a single node. */
export function createDistributed(database: string, { name, shard }: Pick<Table, 'name' | 'shard'>, form: Form) {
  if (form.kind === 'single') return []
  const local = storedName(name, form)
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.${name}${onCluster(form)} AS ${database}.${local}\n` +
      `ENGINE = Distributed('${form.cluster}', '${database}', '${local}', ${shard})`,
  ]
}

/** For a data folder from before the column; a new one has it from the start. */
export function addColumn(database: string, table: Table, name: string, after: string, form: Form): string[] {
  const ddl = columnsDdl(table.columns.filter((column) => column.name === name)).trim()
  const add = (target: string, column: string) =>
    `ALTER TABLE ${database}.${target}${onCluster(form)} ADD COLUMN IF NOT EXISTS ${column} AFTER ${after}`
  if (form.kind === 'single') return [add(table.name, ddl)]
  // A Distributed table stores nothing and has no codecs.
  return [add(storedName(table.name, form), ddl), add(table.name, ddl.replace(/ CODEC\(.*\)$/, ''))]
}

/**
 * On one node a part is on disk when the insert returns (3 to 4 ms a batch), and the table recognises a repeated batch
 * by its token. Replicas deduplicate by themselves.
 */
export function tableSettings(form: Form, more: Readonly<Record<string, string | number>> = {}): string {
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

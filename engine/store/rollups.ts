import { columnsDdl } from './column.js'
import {
  checkDatabaseName,
  createDistributed,
  onCluster,
  storedName,
  tableSettings,
  type Form,
  type Table,
} from './ddl.js'

/**
 * The rollups: aggregates that views compute from reads as they are written. Sums and extremes only, so that rows merge
 * in any order. A read that is stored again in a better version is counted again: `camera_hour` of a week is exact only
 * once the week is sealed (rollup_rebuild.ts), so queries use it for sealed weeks only.
 */
interface Rollup {
  name: string
  columns: readonly RollupColumn[]
  partition: string
  order: string
  shard: string
  where: string
  group: string
}

interface RollupColumn {
  name: string
  type: string
  codec: string
  /** An expression over the columns of `reads`. */
  of: string
}

const Z = 'ZSTD(1)'
const T64 = 'T64, ZSTD(1)'
const TIME = "DateTime64(3, 'UTC')"

const COUNT: RollupColumn = {
  name: 'reads',
  type: 'SimpleAggregateFunction(sum, UInt64)',
  codec: T64,
  of: 'count()',
}
const FIRST_AND_LAST: readonly RollupColumn[] = [
  { name: 'first', type: `SimpleAggregateFunction(min, ${TIME})`, codec: T64, of: 'min(ts)' },
  { name: 'last', type: `SimpleAggregateFunction(max, ${TIME})`, codec: T64, of: 'max(ts)' },
]

/** Columns of a read that say how well its camera sees. */
const QUALITY = ['confidence', 'height_px', 'sharpness', 'contrast', 'glare'] as const

const ROLLUPS = {
  /**
   * Every distinct plate: feeds the WASM dictionary and shows how much a pattern will find. Text and region together,
   * as the dictionary keeps them.
   */
  plates: {
    name: 'plates',
    columns: [
      { name: 'plate', type: 'String', codec: Z, of: 'plate' },
      { name: 'region', type: 'LowCardinality(String)', codec: Z, of: 'region' },
      COUNT,
      ...FIRST_AND_LAST,
    ],
    partition: 'tuple()',
    order: 'plate, region',
    shard: 'sipHash64(plate)',
    where: "plate != ''",
    group: 'plate, region',
  },
  /**
   * Reads per camera and hour, and the sums behind the quality averages: whether a camera gets worse is a question of
   * months.
   */
  camera_hour: {
    name: 'camera_hour',
    columns: [
      { name: 'camera', type: 'LowCardinality(String)', codec: Z, of: 'camera' },
      { name: 'hour', type: "DateTime('UTC')", codec: 'Delta, ZSTD(1)', of: "toDateTime(toStartOfHour(ts), 'UTC')" },
      COUNT,
      ...QUALITY.map((name) => ({
        name: `${name}_sum`,
        type: 'SimpleAggregateFunction(sum, Float64)',
        codec: Z,
        of: `sum(toFloat64(${name}))`,
      })),
    ],
    partition: 'toMonday(hour)',
    order: 'camera, hour',
    shard: 'sipHash64(camera)',
    where: '1',
    group: 'camera, hour',
  },
  /** Where a camera has been: one cell for a fixed one. Turns cameras into cells, by which `reads` is ordered. */
  camera_cells: {
    name: 'camera_cells',
    columns: [
      { name: 'camera', type: 'LowCardinality(String)', codec: Z, of: 'camera' },
      { name: 'cell', type: 'UInt32', codec: Z, of: 'cell' },
      COUNT,
      ...FIRST_AND_LAST,
    ],
    partition: 'tuple()',
    order: 'camera, cell',
    shard: 'sipHash64(camera)',
    where: '1',
    group: 'camera, cell',
  },
} satisfies Record<string, Rollup>

export type RollupName = keyof typeof ROLLUPS
export const ROLLUP_NAMES = Object.keys(ROLLUPS) as RollupName[]

export const rollupColumns = (name: RollupName): string[] => ROLLUPS[name].columns.map((column) => column.name)

/** The SELECT that computes a rollup from rows of reads: for its view, and for the job that rebuilds a week of it. */
export function rollupSelect(database: string, name: RollupName, from: string, and?: string): string {
  const { columns, where, group }: Rollup = ROLLUPS[name]
  const expressions = columns.map((column) => `${column.of} AS ${column.name}`).join(', ')
  const condition = and === undefined ? where : `${where} AND ${and}`
  return (
    `SELECT ${expressions}\nFROM ${checkDatabaseName(database)}.${from}\n` + `WHERE ${condition}\nGROUP BY ${group}`
  )
}

/** The table of a rollup and, on a cluster, its Distributed table. */
export function createRollup(database: string, name: RollupName, form: Form): string[] {
  const rollup: Rollup = ROLLUPS[name]
  const stored = storedName(name, form)
  const engine =
    form.kind === 'cluster'
      ? `ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/${database}/${stored}', '{replica}')`
      : 'AggregatingMergeTree'
  const local =
    `CREATE TABLE IF NOT EXISTS ${database}.${stored}${onCluster(form)} (\n${columnsDdl(rollup.columns)}\n)\n` +
    `ENGINE = ${engine}\nPARTITION BY ${rollup.partition}\nORDER BY (${rollup.order})${tableSettings(form)}`
  return [local, ...createDistributed(database, rollup, form)]
}

/** The view that fills a rollup. Aggregates carry their column's name: a view inserts by name. */
export function createRollupView(database: string, name: RollupName, from: Table, form: Form): string {
  const stored = storedName(name, form)
  return (
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.${stored}_view${onCluster(form)} ` +
    `TO ${database}.${stored} AS\n` +
    rollupSelect(database, name, storedName(from.name, form))
  )
}

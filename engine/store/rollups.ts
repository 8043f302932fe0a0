import { columnsDdl } from './column.js'
import { createDistributed, onCluster, storedName, tableSettings, type Form, type Table } from './ddl.js'

/**
 * The rollups: aggregates that views compute from reads as they are written. Sums and extremes only, so that rows merge
 * in any order. A read counts once, however often it is stored: the writer says of each row what it adds (`COUNTS`).
 * The averages of `camera_hour` are those of the version that was stored first until the week is sealed
 * (rollup_rebuild.ts); queries take averages from sealed weeks only.
 */
interface Rollup {
  name: string
  columns: readonly RollupColumn[]
  partition: string
  order: string
  shard: string
  where: string
  /** The rows of an insert that the view counts, by column `counts`. */
  counted: string
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

const countAs = (type: 'Int64' | 'UInt64'): RollupColumn => ({
  name: 'reads',
  type: `SimpleAggregateFunction(sum, ${type})`,
  codec: T64,
  of: 'count()',
})
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
      // Signed: the writer takes a read back from the plate that it has left (`LEFT_PLATES`).
      countAs('Int64'),
      ...FIRST_AND_LAST,
    ],
    partition: 'tuple()',
    order: 'plate, region',
    shard: 'sipHash64(plate)',
    where: "plate != ''",
    counted: 'counts > 0',
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
      countAs('UInt64'),
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
    counted: 'counts = 2',
    group: 'camera, hour',
  },
  /** Where a camera has been: one cell for a fixed one. Turns cameras into cells, by which `reads` is ordered. */
  camera_cells: {
    name: 'camera_cells',
    columns: [
      { name: 'camera', type: 'LowCardinality(String)', codec: Z, of: 'camera' },
      { name: 'cell', type: 'UInt32', codec: Z, of: 'cell' },
      countAs('UInt64'),
      ...FIRST_AND_LAST,
    ],
    partition: 'tuple()',
    order: 'camera, cell',
    shard: 'sipHash64(camera)',
    where: '1',
    counted: 'counts = 2',
    group: 'camera, cell',
  },
} satisfies Record<string, Rollup>

export type RollupName = keyof typeof ROLLUPS
export const ROLLUP_NAMES = Object.keys(ROLLUPS) as RollupName[]

export const rollupColumns = (name: RollupName): string[] => ROLLUPS[name].columns.map((column) => column.name)

/**
 * The SELECT that computes a rollup from reads.
 * @param from a table, with its database, or a subquery; one row a read
 */
export function rollupSelect(name: RollupName, from: string, and?: string): string {
  const { columns, where, group }: Rollup = ROLLUPS[name]
  const expressions = columns.map((column) => `${column.of} AS ${column.name}`).join(', ')
  const condition = and === undefined ? where : `${where} AND ${and}`
  return `SELECT ${expressions}\nFROM ${from}\nWHERE ${condition}\nGROUP BY ${group}`
}

/**
 * The table of a rollup and, on a cluster, its Distributed table.
 * @param as another name, to build it aside
 */
export function createRollup(database: string, name: RollupName, form: Form, as: string = name): string[] {
  const rollup: Rollup = { ...ROLLUPS[name], name: as }
  const stored = storedName(as, form)
  const engine =
    form.kind === 'cluster'
      ? `ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/${database}/${stored}', '{replica}')`
      : 'AggregatingMergeTree'
  const local =
    `CREATE TABLE IF NOT EXISTS ${database}.${stored}${onCluster(form)} (\n${columnsDdl(rollup.columns)}\n)\n` +
    `ENGINE = ${engine}\nPARTITION BY ${rollup.partition}\nORDER BY (${rollup.order})${tableSettings(form)}`
  return [local, ...createDistributed(database, rollup, form)]
}

/** Gives a column of a rollup its present type. */
export function modifyRollupColumn(database: string, name: RollupName, column: string, form: Form): string[] {
  const { type, codec } = ROLLUPS[name].columns.find((one) => one.name === column)!
  const modify = (table: string, ddl: string) =>
    `ALTER TABLE ${database}.${table}${onCluster(form)} MODIFY COLUMN ${column} ${ddl}`
  const local = modify(storedName(name, form), `${type} CODEC(${codec})`)
  // A Distributed table comes last and so shows what is still to do.
  return form.kind === 'single' ? [local] : [local, modify(name, type)]
}

/** The view that fills a rollup. Aggregates carry their column's name: a view inserts by name. */
export function createRollupView(database: string, name: RollupName, from: Table, form: Form): string {
  const stored = storedName(name, form)
  return (
    `CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.${stored}_view${onCluster(form)} ` +
    `TO ${database}.${stored} AS\n` +
    rollupSelect(name, `${database}.${storedName(from.name, form)}`, ROLLUPS[name].counted)
  )
}

/**
 * The rollups: what views make of reads as they are written. Sums and extremes only, so that rows merge in any order. A
 * read that is stored again in a better version is counted again: `camera_hour` of a week is exact once the week was
 * sealed (rollup_check.ts), and so is used for sealed weeks only.
 */
export interface RollupColumn {
  name: string
  type: string
  codec: string /** From columns of `reads`. */
  of: string
}

const Z = 'ZSTD(1)'
const TIME = "DateTime64(3, 'UTC')"

export const PLATES: readonly RollupColumn[] = [
  { name: 'plate', type: 'String', codec: Z, of: 'plate' },
  { name: 'region', type: 'LowCardinality(String)', codec: Z, of: 'region' },
  { name: 'reads', type: 'SimpleAggregateFunction(sum, UInt64)', codec: 'T64, ZSTD(1)', of: 'count()' },
  { name: 'first', type: `SimpleAggregateFunction(min, ${TIME})`, codec: 'T64, ZSTD(1)', of: 'min(ts)' },
  { name: 'last', type: `SimpleAggregateFunction(max, ${TIME})`, codec: 'T64, ZSTD(1)', of: 'max(ts)' },
]

/** What a read says about how well its camera sees, each with the range of one read. */
export const QUALITY = ['confidence', 'height_px', 'sharpness', 'contrast', 'glare'] as const

export const CAMERA_HOUR: readonly RollupColumn[] = [
  { name: 'camera', type: 'LowCardinality(String)', codec: Z, of: 'camera' },
  { name: 'hour', type: "DateTime('UTC')", codec: 'Delta, ZSTD(1)', of: "toDateTime(toStartOfHour(ts), 'UTC')" },
  { name: 'reads', type: 'SimpleAggregateFunction(sum, UInt64)', codec: 'T64, ZSTD(1)', of: 'count()' },
  ...QUALITY.map((name) => ({
    name: `${name}_sum`,
    type: 'SimpleAggregateFunction(sum, Float64)',
    codec: Z,
    of: `sum(toFloat64(${name}))`,
  })),
]

export const CAMERA_CELLS: readonly RollupColumn[] = [
  { name: 'camera', type: 'LowCardinality(String)', codec: Z, of: 'camera' },
  { name: 'cell', type: 'UInt32', codec: Z, of: 'cell' },
  { name: 'reads', type: 'SimpleAggregateFunction(sum, UInt64)', codec: 'T64, ZSTD(1)', of: 'count()' },
  { name: 'first', type: `SimpleAggregateFunction(min, ${TIME})`, codec: 'T64, ZSTD(1)', of: 'min(ts)' },
  { name: 'last', type: `SimpleAggregateFunction(max, ${TIME})`, codec: 'T64, ZSTD(1)', of: 'max(ts)' },
]

/**
 * One row a week, the highest version counts. `state`: 'begun' (its reads answer no more, held ones from `reads_held`)
 * or 'done'. Times are wall clock.
 */
export const PURGES: readonly { name: string; type: string; codec: string }[] = [
  { name: 'week', type: 'Date', codec: Z },
  { name: 'version', type: 'UInt32', codec: Z },
  { name: 'state', type: 'LowCardinality(String)', codec: Z },
  { name: 'who', type: 'String', codec: Z },
  { name: 'reason', type: 'String', codec: Z },
  { name: 'reads_before', type: 'UInt64', codec: Z },
  { name: 'reads_held', type: 'UInt64', codec: Z },
  { name: 'reads_after', type: 'UInt64', codec: Z },
  { name: 'digest', type: 'UInt64', codec: Z },
  { name: 'at', type: TIME, codec: Z },
]

export const SEALS: readonly { name: string; type: string; codec: string }[] = [
  { name: 'week', type: 'Date', codec: Z },
  { name: 'version', type: 'UInt64', codec: Z },
  { name: 'reads', type: 'UInt64', codec: Z },
]

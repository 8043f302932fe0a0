import type { Hit } from '../model/hit.js'
import type { LedgerRow } from '../model/ledger.js'
import type { CropRef, Read } from '../model/read.js'
import { cellOf, cellSql, storedCellOf } from '../geo/cell.js'
import { column as columnOf, type Column, type ColumnType } from './column.js'

/** A read as `reads` stores it; the character distribution serves matching only and is not stored. */
export type StoredRead = Omit<Read, 'positions'>

/** A text under which a read was stored and which is outdated since the read's version `version`. */
export interface PlateTombstone {
  plate: string
  /** Milliseconds. */
  ts: number
  readId: string
  version: number
}

/**
 * Columns of the tables that are written row by row. Codecs and digits come from measurements on a year of reads (`npm
 * run bench -- canvass`): numbers keep their significant digits only, and values that follow from other columns are not
 * stored.
 */
const Z = 'ZSTD(1)'
const T64 = 'T64, ZSTD(1)'
const DELTA = 'Delta, ZSTD(1)'

/** Alternates below this probability carry no information; the vote gives five for every read. */
const LEAST_ALTERNATE = 0.005

const time = (text: string): number => Date.parse(text)
const segment = (crop: CropRef | undefined): string => crop?.segment ?? ''
const alternates = (read: StoredRead) => read.alternates.filter(({ confidence }) => confidence >= LEAST_ALTERNATE)
/** Bytes between the two pictures of a read: 0 except in segments written by older versions. */
const gap = ({ crop, picture }: StoredRead): number =>
  crop && picture ? picture.offset - crop.offset - crop.length : 0

export const READS: readonly Column<StoredRead>[] = (() => {
  const column = <T extends ColumnType>(
    name: string,
    type: T,
    codec: string,
    of: Parameters<typeof columnOf<StoredRead, T>>[4],
  ) => columnOf<StoredRead, T>('reads', name, type, codec, of)
  return [
    column('cell', 'UInt32', Z, (read) => storedCellOf(read.lat, read.lon)),
    column('ts', "DateTime64(3, 'UTC')", T64, (read) => read.ts),
    column('read_id', 'UInt64', DELTA, (read) => BigInt(read.readId)),
    column('version', 'UInt32', T64, (read) => read.version),
    column('plate', 'String', Z, (read) => read.plate),
    column('confidence', 'Decimal(4, 3)', T64, (read) => read.confidence),
    column('alternate_plates', 'Array(String)', Z, (read) => alternates(read).map((one) => one.plate)),
    column('alternate_confidences', 'Array(Decimal(4, 3))', Z, (read) => alternates(read).map((one) => one.confidence)),
    column('region', 'LowCardinality(String)', Z, (read) => read.region),
    column('camera', 'LowCardinality(String)', Z, (read) => read.camera),
    column('stay_ms', 'UInt64', T64, (read) => read.tsLast - read.ts),
    column('lat', 'Decimal(9, 6)', T64, (read) => read.lat),
    column('lon', 'Decimal(9, 6)', T64, (read) => read.lon),
    column('heading', 'Nullable(UInt16)', Z, (read) =>
      read.heading === undefined ? undefined : Math.round(read.heading) % 360,
    ),
    column('direction', 'LowCardinality(String)', Z, (read) => read.direction),
    column('height_px', 'UInt16', T64, (read) => Math.round(read.quality.heightPx)),
    column('sharpness', 'Decimal(3, 2)', T64, (read) => read.quality.sharpness),
    column('contrast', 'Decimal(3, 2)', T64, (read) => read.quality.contrast),
    column('glare', 'Decimal(3, 2)', T64, (read) => read.quality.glare),
    column('crop_segment', 'LowCardinality(String)', Z, (read) => segment(read.crop)),
    column('crop_offset', 'UInt64', T64, (read) => read.crop?.offset ?? 0),
    column('crop_length', 'UInt32', T64, (read) => read.crop?.length ?? 0),
    column('picture_gap', 'UInt64', T64, (read) => gap(read)),
    column('picture_length', 'UInt32', T64, (read) => read.picture?.length ?? 0),
    column('module', 'LowCardinality(String)', Z, (read) => read.module),
    column('model', 'LowCardinality(String)', Z, (read) => read.model),
    column('lists', 'LowCardinality(String)', Z, (read) => read.lists),
    column('feed', 'LowCardinality(String)', Z, (read) => read.feed),
  ]
})()

const TS_LAST = { name: 'ts_last', type: "DateTime64(3, 'UTC')", of: 'addMilliseconds(ts, stay_ms)' } as const

/**
 * What a row of `reads` adds to the rollups, as the writer decides by what the store has of the read: 2, the read; 1,
 * its plate, because the read is there under another one; 0, nothing.
 */
export const COUNTS: PlainColumn = { name: 'counts', type: 'UInt8', default: '2', codec: Z }

/** Values that follow from the columns of `reads`; not stored. */
export const READS_DERIVED = [
  TS_LAST,
  // The version of a read is the number of frames that voted.
  { name: 'frames', type: 'UInt32', of: 'version' },
] as const

/** Codecs that differ between the order of plates and the order of places. */
const CODECS_BY_PLATE: Readonly<Record<string, string>> = { read_id: T64 }
const readColumn = (name: string): PlainColumn => {
  const { type, codec } = READS.find((column) => column.name === name)!
  return { name, type, codec: CODECS_BY_PLATE[name] ?? codec }
}

/** `reads_by_plate`: what a history shows of a read. Quality, alternates and provenance are in `reads` only. */
export const PLATE_INDEX: readonly PlainColumn[] = [
  'plate',
  'ts',
  'read_id',
  'version',
  'confidence',
  'region',
  'camera',
  'stay_ms',
  'lat',
  'lon',
  'heading',
  'direction',
  'crop_segment',
  'crop_offset',
  'crop_length',
].map(readColumn)

/** Set in the row under an old text: from this version on the read has another one. */
export const GONE = { name: 'gone', type: 'UInt8', codec: Z } as const

export const PLATE_INDEX_DERIVED = [
  TS_LAST,
  { name: 'cell', type: 'UInt32', of: cellSql('toFloat64(lat)', 'toFloat64(lon)') },
] as const

/** Columns of a tombstone: a row of `reads_by_plate` that supersedes another one. */
export const PLATE_TOMBSTONES: readonly Column<PlateTombstone>[] = (() => {
  const column = <T extends ColumnType>(name: string, type: T, of: Parameters<typeof columnOf<PlateTombstone, T>>[4]) =>
    columnOf<PlateTombstone, T>('reads_by_plate', name, type, Z, of)
  return [
    column('plate', 'String', (row) => row.plate),
    column('ts', "DateTime64(3, 'UTC')", (row) => row.ts),
    column('read_id', 'UInt64', (row) => BigInt(row.readId)),
    column('version', 'UInt32', (row) => row.version),
    column('gone', 'UInt8', () => 1),
  ]
})()

/** A read that has left a plate: its row in the rollup `plates` takes the read back. */
export interface LeftPlate {
  plate: string
  region: string
  /** First detection of the read, milliseconds. */
  ts: number
}

export const LEFT_PLATES: readonly Column<LeftPlate>[] = (() => {
  const column = <T extends ColumnType>(name: string, type: T, of: Parameters<typeof columnOf<LeftPlate, T>>[4]) =>
    columnOf<LeftPlate, T>('plates', name, type, Z, of)
  return [
    column('plate', 'String', (row) => row.plate),
    column('region', 'LowCardinality(String)', (row) => row.region),
    column('reads', 'Int64', () => -1),
    column('first', "DateTime64(3, 'UTC')", (row) => row.ts),
    column('last', "DateTime64(3, 'UTC')", (row) => row.ts),
  ]
})()

export const HITS: readonly Column<Hit>[] = (() => {
  const column = <T extends ColumnType>(
    name: string,
    type: T,
    codec: string,
    of: Parameters<typeof columnOf<Hit, T>>[4],
  ) => columnOf<Hit, T>('hits', name, type, codec, of)
  return [
    column('ts', "DateTime64(3, 'UTC')", T64, (hit) => time(hit.ts)),
    column('hit_id', 'String', Z, (hit) => hit.hitId),
    column('revision', 'UInt32', T64, (hit) => hit.revision),
    column('state', 'LowCardinality(String)', Z, (hit) => hit.state),
    column('read_id', 'UInt64', T64, (hit) => BigInt(hit.readId)),
    column('plate', 'String', Z, (hit) => hit.plate),
    column('confidence', 'Float32', Z, (hit) => hit.confidence),
    column('alternate_plates', 'Array(String)', Z, (hit) => hit.alternates.map((one) => one.plate)),
    column('alternate_confidences', 'Array(Float32)', Z, (hit) => hit.alternates.map((one) => one.confidence)),
    column('region', 'LowCardinality(String)', Z, (hit) => hit.region),
    column('listed_plate', 'String', Z, (hit) => hit.listedPlate),
    column('list', 'LowCardinality(String)', Z, (hit) => hit.list),
    column('list_name', 'LowCardinality(String)', Z, (hit) => hit.listName),
    column('list_version', 'LowCardinality(String)', Z, (hit) => hit.listVersion),
    column('list_loaded_at', "DateTime64(3, 'UTC')", T64, (hit) => time(hit.listLoadedAt)),
    column('reason', 'String', Z, (hit) => hit.reason),
    column('priority', 'LowCardinality(String)', Z, (hit) => hit.priority),
    column('exact', 'Bool', Z, (hit) => hit.exact),
    column('probability', 'Float32', Z, (hit) => hit.probability),
    column('tolerated_positions', 'Array(UInt8)', Z, (hit) => hit.tolerated.map((one) => one.position)),
    column('tolerated_read', 'Array(String)', Z, (hit) => hit.tolerated.map((one) => one.read)),
    column('tolerated_listed', 'Array(String)', Z, (hit) => hit.tolerated.map((one) => one.listed)),
    column('tolerated_probabilities', 'Array(Float32)', Z, (hit) => hit.tolerated.map((one) => one.probability)),
    column('camera', 'LowCardinality(String)', Z, (hit) => hit.camera),
    column('camera_name', 'LowCardinality(String)', Z, (hit) => hit.cameraName),
    column('cell', 'UInt32', Z, (hit) => cellOf(hit.lat, hit.lon)),
    column('lat', 'Float64', Z, (hit) => hit.lat),
    column('lon', 'Float64', Z, (hit) => hit.lon),
    column('heading', 'Nullable(Float32)', Z, (hit) => hit.heading),
    column('direction', 'LowCardinality(String)', Z, (hit) => hit.direction),
    column('ts_last', "DateTime64(3, 'UTC')", T64, (hit) => time(hit.tsLast)),
    column('published_at', "DateTime64(3, 'UTC')", T64, (hit) => time(hit.publishedAt)),
    column('crop_segment', 'LowCardinality(String)', Z, (hit) => segment(hit.crop)),
    column('crop_offset', 'UInt64', T64, (hit) => hit.crop?.offset ?? 0),
    column('crop_length', 'UInt32', T64, (hit) => hit.crop?.length ?? 0),
    column('picture_segment', 'LowCardinality(String)', Z, (hit) => segment(hit.picture)),
    column('picture_offset', 'UInt64', T64, (hit) => hit.picture?.offset ?? 0),
    column('picture_length', 'UInt32', T64, (hit) => hit.picture?.length ?? 0),
    column('module', 'LowCardinality(String)', Z, (hit) => hit.module),
    column('model', 'LowCardinality(String)', Z, (hit) => hit.model),
  ]
})()

export const LEDGER: readonly Column<LedgerRow>[] = (() => {
  const column = <T extends ColumnType>(
    name: string,
    type: T,
    codec: string,
    of: Parameters<typeof columnOf<LedgerRow, T>>[4],
  ) => columnOf<LedgerRow, T>('ledger', name, type, codec, of)
  return [
    column('camera', 'LowCardinality(String)', Z, (row) => row.camera),
    column('hour', "DateTime('UTC')", DELTA, (row) => row.hour),
    column('part', 'UInt64', T64, (row) => row.part),
    column('frames_in', 'UInt64', T64, (row) => row.framesIn),
    column('with_reads', 'UInt64', T64, (row) => row.withReads),
    column('without_plate', 'UInt64', T64, (row) => row.withoutPlate),
    column('dead', 'UInt64', T64, (row) => row.dead),
    column('version', 'UInt64', T64, (row) => row.version),
  ]
})()

/** A column of a table. */
export interface PlainColumn {
  name: string
  type: string
  /** An expression, for rows that do not give the column. */
  default?: string
  codec: string
}

/**
 * One row a week; the highest version counts. `state` is 'begun' (its reads answer no more, held ones from
 * `reads_held`) or 'done'. Times are wall clock.
 */
export const PURGES: readonly PlainColumn[] = [
  { name: 'week', type: 'Date', codec: Z },
  { name: 'version', type: 'UInt32', codec: Z },
  { name: 'state', type: 'LowCardinality(String)', codec: Z },
  { name: 'who', type: 'String', codec: Z },
  { name: 'reason', type: 'String', codec: Z },
  { name: 'reads_before', type: 'UInt64', codec: Z },
  { name: 'reads_held', type: 'UInt64', codec: Z },
  { name: 'reads_after', type: 'UInt64', codec: Z },
  { name: 'digest', type: 'UInt64', codec: Z },
  { name: 'at', type: "DateTime64(3, 'UTC')", codec: Z },
]

export const ROLLUP_SEALS: readonly PlainColumn[] = [
  { name: 'week', type: 'Date', codec: Z },
  { name: 'version', type: 'UInt64', codec: Z },
  { name: 'reads', type: 'UInt64', codec: Z },
]

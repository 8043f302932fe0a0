import { AlprError } from '../errors.js'
import type { RowBinary } from './rowbinary.js'

/** Encoders of the column types in use. */
const ENCODERS = {
  UInt8: (out: RowBinary, value: number) => out.u8(value),
  UInt16: (out: RowBinary, value: number) => out.u16(value),
  UInt32: (out: RowBinary, value: number) => out.u32(value),
  UInt64: (out: RowBinary, value: bigint | number) => out.u64(value),
  Int64: (out: RowBinary, value: number) => out.i64(value),
  Float32: (out: RowBinary, value: number) => out.f32(value),
  Float64: (out: RowBinary, value: number) => out.f64(value),
  Bool: (out: RowBinary, value: boolean) => out.u8(value ? 1 : 0),
  String: (out: RowBinary, value: string) => out.text(value),
  'LowCardinality(String)': (out: RowBinary, value: string) => out.text(value),
  "DateTime('UTC')": (out: RowBinary, value: number) => out.seconds(value),
  "DateTime64(3, 'UTC')": (out: RowBinary, value: number) => out.milliseconds(value),
  'Decimal(3, 2)': (out: RowBinary, value: number) => out.decimal(value, 2, 3),
  'Decimal(4, 3)': (out: RowBinary, value: number) => out.decimal(value, 3, 4),
  'Decimal(9, 6)': (out: RowBinary, value: number) => out.decimal(value, 6, 9),
  'Nullable(UInt16)': (out: RowBinary, value: number | undefined) => {
    out.isNull(value === undefined)
    if (value !== undefined) out.u16(value)
  },
  'Nullable(Float32)': (out: RowBinary, value: number | undefined) => {
    out.isNull(value === undefined)
    if (value !== undefined) out.f32(value)
  },
  'Array(UInt8)': (out: RowBinary, value: readonly number[]) => {
    out.length(value.length)
    for (const one of value) out.u8(one)
  },
  'Array(Float32)': (out: RowBinary, value: readonly number[]) => {
    out.length(value.length)
    for (const one of value) out.f32(one)
  },
  'Array(Decimal(4, 3))': (out: RowBinary, value: readonly number[]) => {
    out.length(value.length)
    for (const one of value) out.decimal(one, 3, 4)
  },
  'Array(String)': (out: RowBinary, value: readonly string[]) => {
    out.length(value.length)
    for (const one of value) out.text(one)
  },
}

type Encoders = typeof ENCODERS
export type ColumnType = keyof Encoders
type ValueOf<T extends ColumnType> = Parameters<Encoders[T]>[1]

/** One column: its DDL and its encoder. Schema and writer both derive from it, so that they cannot disagree. */
export interface Column<Row> {
  name: string
  type: ColumnType
  codec: string
  encode(out: RowBinary, row: Row): void
}

/** @param of gets the value from a row; when it throws, the error names the column (ALPR_ERR_ROW_INVALID) */
export function column<Row, T extends ColumnType>(
  table: string,
  name: string,
  type: T,
  codec: string,
  of: (row: Row) => ValueOf<T>,
): Column<Row> {
  const write = ENCODERS[type] as (out: RowBinary, value: ValueOf<T>) => void
  return {
    name,
    type,
    codec,
    encode(out, row) {
      try {
        write(out, of(row))
      } catch (error) {
        throw new AlprError(
          'ALPR_ERR_ROW_INVALID',
          { field: `${table}.${name}`, reason: (error as Error).message },
          { cause: error },
        )
      }
    },
  }
}

/** `name type DEFAULT ... CODEC(...)`, one column a line. */
export const columnsDdl = (
  columns: readonly { name: string; type: string; default?: string; codec: string }[],
): string =>
  columns
    .map(
      ({ name, type, default: value, codec }) =>
        `  ${name} ${type}${value === undefined ? '' : ` DEFAULT ${value}`}${codec ? ` CODEC(${codec})` : ''}`,
    )
    .join(',\n')

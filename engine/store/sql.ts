import { checkDatabaseName } from './ddl.js'

/**
 * SQL that cannot contain external text: the words of a template are constants of the program, and its holes take only
 * values (which travel as parameters of the HTTP interface) and other pieces of SQL. No string becomes SQL at run time
 * except through `tableOf`, which validates names.
 */
export type ParamType =
  | 'String'
  | 'UInt8'
  | 'UInt16'
  | 'UInt32'
  | 'UInt64'
  | 'Int64'
  | 'Float64'
  | 'Array(String)'
  | 'Array(UInt32)'
  | 'Array(UInt64)'
  | 'Array(Int64)'
  | 'Array(Float64)'

class Value {
  constructor(
    readonly type: ParamType,
    readonly value: unknown,
  ) {}
}

export class Sql {
  constructor(readonly pieces: readonly (string | Value)[]) {}

  /** The text with `{p0:Type}` for each value, and the values. */
  render(): { query: string; params: Record<string, unknown> } {
    const params: Record<string, unknown> = {}
    const names = new Map<Value, string>()
    let query = ''
    for (const piece of this.pieces) {
      if (typeof piece === 'string') query += piece
      else {
        // The same Value object is one parameter: a polygon of a thousand points travels once.
        let name = names.get(piece)
        if (name === undefined) {
          name = `p${names.size}`
          names.set(piece, name)
          params[name] = piece.value
        }
        query += `{${name}:${piece.type}}`
      }
    }
    return { query, params }
  }
}

/** A value of a query, which never becomes part of its text. */
export const value = (type: ParamType, of: unknown): Sql => new Sql([new Value(type, of)])

/** Template tag. @param holes pieces of SQL; wrap values with `value` */
export function sql(words: TemplateStringsArray, ...holes: readonly Sql[]): Sql {
  const pieces: (string | Value)[] = []
  words.forEach((text, index) => {
    pieces.push(text)
    const hole = holes[index]
    if (hole) pieces.push(...hole.pieces)
  })
  return new Sql(pieces)
}

/** The qualified name of a table. @throws ALPR_ERR_SETTINGS_INVALID for an invalid database name */
export const tableOf = (database: string, table: TableName): Sql => new Sql([`${checkDatabaseName(database)}.${table}`])
export type TableName =
  | 'reads'
  | 'reads_held'
  | 'reads_by_plate'
  | 'plates'
  | 'camera_hour'
  | 'camera_cells'
  | 'purges'
  | 'rollup_seals'

export const join = (parts: readonly Sql[], between: Sql): Sql =>
  new Sql(parts.flatMap((part, index) => (index === 0 ? part.pieces : [...between.pieces, ...part.pieces])))

const AND = sql` AND `
const OR = sql` OR `
/** All parts hold; true for an empty list. */
export const and = (parts: readonly Sql[]): Sql =>
  parts.length === 0 ? sql`1` : parts.length === 1 ? parts[0]! : sql`(${join(parts, AND)})`
/** Any part holds; false for an empty list. */
export const or = (parts: readonly Sql[]): Sql =>
  parts.length === 0 ? sql`0` : parts.length === 1 ? parts[0]! : sql`(${join(parts, OR)})`

/** A DateTime64 from milliseconds since 1970 UTC. */
export const time = (ms: number): Sql => sql`fromUnixTimestamp64Milli(${value('Int64', ms)}, 'UTC')`

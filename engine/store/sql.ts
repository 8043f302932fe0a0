import { checkDatabaseName } from './ddl.js'

/**
 * SQL that cannot hold a text from outside: a template's own words are ours, and in its holes only values (which travel
 * as parameters of the HTTP interface) and other pieces of SQL may stand. There is no way to make one from a string at
 * run time but `tableOf`, whose names are checked.
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
        // The same value object twice is one parameter: a polygon of a thousand points travels once.
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

/** A value of a query; never part of its text. */
export const value = (type: ParamType, of: unknown): Sql => new Sql([new Value(type, of)])

/** @param holes pieces of SQL; values go through `value` */
export function sql(words: TemplateStringsArray, ...holes: readonly Sql[]): Sql {
  const pieces: (string | Value)[] = []
  words.forEach((text, index) => {
    pieces.push(text)
    const hole = holes[index]
    if (hole) pieces.push(...hole.pieces)
  })
  return new Sql(pieces)
}

export const NOTHING = new Sql([])

/** A table of ours, qualified. @throws ALPR_ERR_SETTINGS_INVALID for a database's name that is none */
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
/** All of them; true when there are none. */
export const and = (parts: readonly Sql[]): Sql =>
  parts.length === 0 ? sql`1` : parts.length === 1 ? parts[0]! : sql`(${join(parts, AND)})`
/** One of them; false when there are none. */
export const or = (parts: readonly Sql[]): Sql =>
  parts.length === 0 ? sql`0` : parts.length === 1 ? parts[0]! : sql`(${join(parts, OR)})`
export const list = (parts: readonly Sql[]): Sql => join(parts, sql`, `)

/** A time from milliseconds since 1970 UTC. */
export const time = (ms: number): Sql => sql`fromUnixTimestamp64Milli(${value('Int64', ms)}, 'UTC')`

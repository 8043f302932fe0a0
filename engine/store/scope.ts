import { CAMERA_ID } from '../model/camera.js'
import { LIST_ID } from '../hotlists/hotlist.js'
import { AlprError } from '../errors.js'

/** The part of the plate data that one access may see. */
export interface Scope {
  /** Reads, hits, ledger rows and live data of these cameras only. */
  readonly cameras: 'all' | readonly string[]
  /** Hits of these hot lists only. */
  readonly lists: 'all' | readonly string[]
}

/** No restriction. */
export const WHOLE: Scope = { cameras: 'all', lists: 'all' }

export const isWhole = ({ cameras, lists }: Scope): boolean => cameras === 'all' && lists === 'all'

/** Tables with rows of one camera each. */
const CAMERA_TABLES = ['reads', 'reads_held', 'reads_by_plate', 'camera_hour', 'camera_cells', 'ledger'] as const

/**
 * The scope as ClickHouse's setting `additional_table_filters`: the server ANDs it into every read of the tables, in
 * each subquery too, so that no statement can forget it. Empty for the whole.
 *
 * The rollup `plates` and the dictionary have no cameras: a restricted scope searches no plates (`NO_SEARCH`).
 * @param database checked name
 */
export function scopeSettings(scope: Scope, database: string): Record<string, string> {
  if (isWhole(scope)) return {}
  const cameras = scope.cameras === 'all' ? undefined : isOneOf('camera', scope.cameras, CAMERA_ID)
  const lists = scope.lists === 'all' ? undefined : isOneOf('list', scope.lists, LIST_ID)
  const filters = new Map<string, string>()
  if (cameras !== undefined) for (const table of CAMERA_TABLES) filters.set(table, cameras)
  filters.set('hits', [cameras, lists].filter((one) => one !== undefined).join(' AND '))
  const entries = [...filters].map(([table, filter]) => `'${database}.${table}': '${filter.replaceAll("'", "''")}'`)
  return { additional_table_filters: `{${entries.join(', ')}}` }
}

/** @throws ALPR_ERR_SCOPE_RESTRICTED for what can only be answered from everything there is */
export function requireWhole(scope: Scope, what: string): void {
  if (!isWhole(scope)) throw new AlprError('ALPR_ERR_SCOPE_RESTRICTED', { what })
}

/** Ids of one scope: the setting travels in the address of a request. */
const MAX_IDS = 2_000

/**
 * Ids are checked although they come from a gate: they become text of a statement.
 * @throws ALPR_ERR_INTERNAL, ALPR_ERR_SCOPE_TOO_LARGE
 */
function isOneOf(column: string, ids: readonly string[], pattern: RegExp): string {
  if (ids.length > MAX_IDS) throw new AlprError('ALPR_ERR_SCOPE_TOO_LARGE', { count: ids.length, limit: MAX_IDS })
  if (!ids.every((id) => pattern.test(id)))
    throw new AlprError('ALPR_ERR_INTERNAL', {}, { cause: new Error(`scope: an id of ${column} is not valid`) })
  return ids.length === 0 ? '0' : `${column} IN (${ids.map((id) => `'${id}'`).join(', ')})`
}

import { sql, tableOf, value, type Sql } from '../store/sql.js'
import type { Filter } from './filter.js'
import type { Ask } from './question.js'

/** Values of a filter that no stored read has: `camerasNeverSeen`, `regionsNeverSeen`, in the notes of an answer. */
export type NeverSeen = Record<string, string[]>

/**
 * What a question names and no stored read has: most often a mistyped camera, or `CA` for `US-CA`, to which "nobody was
 * there" would be a wrong answer.
 */
export async function neverSeen(
  ask: Ask,
  ...filters: Pick<Filter, 'areas' | 'regions' | 'pattern'>[]
): Promise<NeverSeen> {
  const cameras = filters.flatMap(({ areas }) => areas.flatMap((area) => (area.kind === 'cameras' ? area.ids : [])))
  const regions = filters.flatMap(({ regions, pattern }) => [...(regions ?? []), ...(pattern?.regions ?? [])])
  const [unknownCameras, unknownRegions] = await Promise.all([
    missing(ask, cameras, 'camera_cells', sql`camera`),
    missing(ask, regions, 'plates', sql`region`),
  ])
  return {
    ...(unknownCameras.length > 0 && { camerasNeverSeen: unknownCameras }),
    ...(unknownRegions.length > 0 && { regionsNeverSeen: unknownRegions }),
  }
}

/** Those of `names` that `column` of `table` does not have. */
async function missing(
  ask: Ask,
  names: readonly string[],
  table: 'camera_cells' | 'plates',
  column: Sql,
): Promise<string[]> {
  if (names.length === 0) return []
  const found = await ask.rows<{ name: string }>(
    sql`SELECT DISTINCT ${column} AS name FROM ${tableOf(ask.database, table)}
      WHERE ${column} IN ${value('Array(String)', names)}`,
    `known in ${table}`,
  )
  const known = new Set(found.map(({ name }) => name))
  return [...new Set(names)].filter((name) => !known.has(name))
}

/** Notes of an answer, or nothing where there are none. */
export const withNotes = (notes: Record<string, unknown>): { notes?: Record<string, unknown> } =>
  Object.keys(notes).length > 0 ? { notes } : {}

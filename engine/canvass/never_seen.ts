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
    missing(
      ask,
      cameras,
      'known cameras',
      sql`SELECT DISTINCT camera AS name FROM ${tableOf(ask.database, 'camera_cells')}
      WHERE camera IN ${value('Array(String)', cameras)}`,
    ),
    missing(
      ask,
      regions,
      'known regions',
      sql`SELECT DISTINCT region AS name FROM ${tableOf(ask.database, 'plates')}
      WHERE region IN ${value('Array(String)', regions)}`,
    ),
  ])
  return {
    ...(unknownCameras.length > 0 && { camerasNeverSeen: unknownCameras }),
    ...(unknownRegions.length > 0 && { regionsNeverSeen: unknownRegions }),
  }
}

/** Those of `names` that the statement, which selects known ones, does not find. */
async function missing(ask: Ask, names: readonly string[], label: string, known: Sql): Promise<string[]> {
  if (names.length === 0) return []
  const found = new Set((await ask.rows<{ name: string }>(known, label)).map(({ name }) => name))
  return [...new Set(names)].filter((name) => !found.has(name))
}

/** Notes of an answer, or nothing where there are none. */
export const withNotes = (notes: Record<string, unknown>): { notes?: Record<string, unknown> } =>
  Object.keys(notes).length > 0 ? { notes } : {}

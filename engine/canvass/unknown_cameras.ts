import type { Filter } from './filter.js'
import type { Ask } from './question.js'
import { sql, tableOf, value } from '../store/sql.js'

/**
 * Cameras of the question of which no read was ever stored: most often a name mistyped, and "nobody was there" would be
 * a wrong answer to it.
 */
export async function unknownCameras(ask: Ask, { places }: Pick<Filter, 'places'>): Promise<string[]> {
  const ids = [...new Set(places.flatMap((place) => (place.kind === 'cameras' ? place.ids : [])))]
  if (ids.length === 0) return []
  const found = await ask.rows<{ id: string }>(
    sql`SELECT DISTINCT camera AS id FROM ${tableOf(ask.database, 'camera_cells')} WHERE camera IN ${value('Array(String)', ids)}`,
    'cameras known',
  )
  const known = new Set(found.map(({ id }) => id))
  return ids.filter((id) => !known.has(id))
}

import type { Filter } from './filter.js'
import type { Ask } from './question.js'
import { sql, tableOf, value } from '../store/sql.js'

/**
 * Cameras named by a question that have no stored read: most often a mistyped name, to which "nobody was there" would
 * be a wrong answer.
 */
export async function unknownCameras(ask: Ask, { areas }: Pick<Filter, 'areas'>): Promise<string[]> {
  const ids = [...new Set(areas.flatMap((area) => (area.kind === 'cameras' ? area.ids : [])))]
  if (ids.length === 0) return []
  const found = await ask.rows<{ id: string }>(
    sql`SELECT DISTINCT camera AS id FROM ${tableOf(ask.database, 'camera_cells')}
      WHERE camera IN ${value('Array(String)', ids)}`,
    'known cameras',
  )
  const known = new Set(found.map(({ id }) => id))
  return ids.filter((id) => !known.has(id))
}

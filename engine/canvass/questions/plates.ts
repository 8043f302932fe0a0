import type { FoundPlate } from '../../plate_search/candidates.js'
import { parsePattern, type Pattern } from '../../plate_search/pattern.js'
import { LookAlikesSchema, PatternSchema } from '../filter.js'
import { inputOf, question, type Ask, type Found } from '../question.js'

export interface PreparedPattern {
  pattern: Pattern
  source: string
  lookAlikes: boolean
}

/** The best plates scanned so far, about 20 times a second, and finally the best of all. */
async function* pages(
  ask: Ask,
  { pattern, source, lookAlikes }: PreparedPattern,
  limit: number,
  lastOnly = false,
): AsyncGenerator<Found<FoundPlate>> {
  ask.note('search', ask.search.name)
  for await (const { plates: items, matched, scanned, of, ranked, done, partial } of ask.search.pages(
    { pattern, source, lookAlikes, limit, lastOnly, signal: ask.signal },
    ask.rows,
  )) {
    const notes = { matched, scanned, plates: of, ...(ranked !== undefined && { ranked }), done }
    yield { items, ...(partial && { partial }), notes }
  }
}

/**
 * Which plates, of all that were ever read, a partial plate may mean. The dictionary answers, or the store while the
 * dictionary is not loaded.
 */
export const plates = question({
  kind: 'plates',
  summary: 'Plates ever read that a partial plate may mean, most probable first',
  schema: inputOf({
    pattern: PatternSchema,
    lookAlikes: LookAlikesSchema,
  }),
  prepare: ({ pattern, lookAlikes }): PreparedPattern => ({
    pattern: parsePattern(pattern),
    source: pattern,
    lookAlikes,
  }),
  /**
   * There is only one page: a narrower pattern finds the others. `partial` says that the search used its budget up
   * before it had searched all plates.
   */
  async answer(ask, prepared, limit) {
    let last: Found<FoundPlate> = { items: [] }
    for await (const page of pages(ask, prepared, limit, true)) last = page
    const left = Number(last.notes?.matched ?? 0) - last.items.length
    return { ...last, ...(left > 0 && last.items.length >= limit && { left }) }
  },
  pages: (ask, prepared, limit) => pages(ask, prepared, limit),
  columns: [
    ['plate', (p: FoundPlate) => p.plate],
    ['region', (p) => p.region],
    ['probability', (p) => p.probability],
    ['count', (p) => p.count],
    ['firstSeen', (p) => p.firstSeen],
    ['lastSeen', (p) => p.lastSeen],
    [
      'tolerated',
      (p) =>
        p.tolerated
          .map(({ kind, position, read, wanted }) => `${kind} at ${position + 1}: ${read || '-'} for ${wanted || '-'}`)
          .join('; '),
    ],
  ],
  shape: () => undefined,
})

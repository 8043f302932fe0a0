import { Type } from '@sinclair/typebox'
import type { FoundPlate } from '../../plate_search/candidates.js'
import { parsePattern, type Pattern } from '../pattern.js'
import { inputOf, question, type Ask, type Found } from '../question.js'

export interface Prepared {
  pattern: Pattern
  source: string
  lookAlikes: boolean
}

/** The best of what was scanned so far, some 20 times a second, and at last of all. */
async function* pages(
  ask: Ask,
  { pattern, source, lookAlikes }: Prepared,
  limit: number,
): AsyncGenerator<Found<FoundPlate>> {
  ask.note('search', ask.search.name)
  for await (const { plates: items, matched, scanned, of, done } of ask.search.pages(
    { pattern, source, lookAlikes, limit, signal: ask.signal },
    ask.rows,
  )) {
    yield { items, notes: { matched, scanned, plates: of, done } }
  }
}

/**
 * Which plates, of all that were ever read, may a partial plate mean: by the dictionary, or by the store while that is
 * not loaded.
 */
export const plates = question({
  kind: 'plates',
  summary: 'Plates ever read that a partial plate may mean, most probable first',
  schema: inputOf({
    pattern: Type.String({
      minLength: 1,
      maxLength: 128,
      description:
        'partial plate: ? one character, * any run, [8B] one of these, & fragments in any order, ~1 ~2 misreads, @CA region',
    }),
    lookAlikes: Type.Boolean({
      default: true,
      description: 'take look-alikes (8 and B, 0 and O ...) for one another in the pattern',
    }),
  }),
  prepare: ({ pattern, lookAlikes }): Prepared => ({ pattern: parsePattern(pattern), source: pattern, lookAlikes }),
  /** There is no page behind the first: who wants others narrows the pattern. */
  async answer(ask, prepared, limit) {
    let last: Found<FoundPlate> = { items: [] }
    for await (const page of pages(ask, prepared, limit)) last = page
    return last
  },
  pages,
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

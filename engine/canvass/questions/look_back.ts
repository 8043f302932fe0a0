import { Type } from '@sinclair/typebox'
import { filterOf, FilterFields } from '../filter.js'
import { readsOfPlates } from '../planner.js'
import { inputOf, pageOf, question } from '../question.js'
import { pointOf, SIGHTING, SIGHTING_COLUMNS, sightingOf, type Sighting, type SightingRow } from '../sighting.js'
import { plateOf, readingsOf } from './history.js'
import { AlprError } from '../../errors.js'

export interface LookBackItem extends Sighting {
  /** Plate of the list that this read may be. */
  listedPlate: string
  probability: number
}

/** Plates of one look; a larger list is asked in parts. With misreads each plate is a search of its own. */
export const MOST_LISTED = 20_000
const MOST_WITH_MISREADS = 100

const { pattern: _, lookAlikes: __, ...fields } = FilterFields

/** Has anything on this list been seen: a list against the reads of the last days, newest first. What live matching does from now on, for what was. */
export const lookBack = question({
  kind: 'look-back',
  summary: 'Which plates of a list were read in these windows, newest first',
  schema: inputOf({
    ...fields,
    plates: Type.Array(Type.String({ minLength: 1, maxLength: 32 }), { minItems: 1, maxItems: MOST_LISTED }),
    misreads: Type.Boolean({ default: false, description: `also likely misreads; for at most ${MOST_WITH_MISREADS} plates` }),
    minProbability: Type.Number({ minimum: 0, maximum: 1, default: 0.001 }),
  }),
  prepare(input) {
    const plates = [...new Set(input.plates.map(plateOf))].sort()
    if (input.misreads && plates.length > MOST_WITH_MISREADS) {
      throw new AlprError('ALPR_ERR_REQUEST_INVALID', { field: 'plates', reason: `${plates.length} plates; with misreads at most ${MOST_WITH_MISREADS}` })
    }
    return { plates, misreads: input.misreads, minProbability: input.minProbability, filter: filterOf({ ...input, lookAlikes: true }) }
  },
  async answer(ask, { plates, misreads, minProbability, filter }, limit) {
    // The likeliest listed plate for each text; a text on the list stands for itself.
    const meant = new Map<string, { listed: string; probability: number }>()
    for (const listed of plates) {
      for (const [text, probability] of await readingsOf(ask, listed, misreads, minProbability)) {
        if (probability > (meant.get(text)?.probability ?? 0)) meant.set(text, { listed, probability })
      }
    }
    const rows = await readsOfPlates<SightingRow>(ask, SIGHTING, [...meant.keys()].map((plate) => ({ plate })), filter, limit)
    return {
      ...pageOf(rows, limit, (row) => [Number(row.begin), row.readId]),
      items: rows.slice(0, limit).map((row): LookBackItem => {
        const of = meant.get(row.text)
        return { ...sightingOf(row), listedPlate: of?.listed ?? row.text, probability: of?.probability ?? 0 }
      }),
    }
  },
  columns: [['listedPlate', (s: LookBackItem) => s.listedPlate], ['probability', (s: LookBackItem) => s.probability], ...SIGHTING_COLUMNS],
  shape: pointOf,
})

import { Type } from '@sinclair/typebox'
import { filterOf, FilterFields } from '../filter.js'
import { readsOfPlates } from '../planner.js'
import { inputOf, pageOf, question } from '../question.js'
import { pointOf, SIGHTING, SIGHTING_COLUMNS, sightingOf, type Sighting, type SightingRow } from '../sighting.js'
import { plateOf, readingsOf } from './history.js'
import { LIST_ID } from '../../hotlists/hotlist.js'
import { AlprError } from '../../errors.js'

export interface LookBackItem extends Sighting {
  /** Plate of the list that this read may be. */
  listedPlate: string
  probability: number
}

/** Plates that one look may bring along, and that a list may have. With misreads each plate is a search of its own. */
export const MOST_LISTED = 20_000
const MOST_OF_A_LIST = 200_000
const MOST_WITH_MISREADS = 100

const { pattern: _, lookAlikes: __, ...fields } = FilterFields

function checkCount(plates: number, misreads: boolean): void {
  if (misreads && plates > MOST_WITH_MISREADS)
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
      field: 'plates',
      reason: `${plates} plates; with misreads at most ${MOST_WITH_MISREADS}`,
    })
}

/**
 * Has anything on this list been seen: a list against the reads of the last days, newest first. What live matching does
 * from now on, for what was.
 */
export const lookBack = question({
  kind: 'look-back',
  threads: 1,
  summary: 'Which plates of a list were read in these windows, newest first',
  schema: inputOf({
    ...fields,
    plates: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 32 }), { minItems: 1, maxItems: MOST_LISTED }),
    ),
    list: Type.Optional(
      Type.String({
        pattern: LIST_ID.source,
        description: `id of a hot list, in place of plates: as it stands now, whatever times its entries have; at most ${MOST_OF_A_LIST} plates`,
      }),
    ),
    misreads: Type.Boolean({
      default: false,
      description: `also likely misreads; for at most ${MOST_WITH_MISREADS} plates`,
    }),
    minProbability: Type.Number({ minimum: 0, maximum: 1, default: 0.001 }),
  }),
  prepare(input) {
    if ((input.plates === undefined) === (input.list === undefined))
      throw new AlprError('ALPR_ERR_REQUEST_INVALID', { field: 'plates', reason: 'name plates or a list, not both' })
    const plates = input.plates && [...new Set(input.plates.map(plateOf))].sort()
    if (plates) checkCount(plates.length, input.misreads)
    return {
      plates,
      list: input.list,
      misreads: input.misreads,
      minProbability: input.minProbability,
      filter: filterOf({ ...input, lookAlikes: true }),
    }
  },
  async answer(ask, { plates: named, list, misreads, minProbability, filter }, limit) {
    const plates = named ?? (await ask.platesOfList(list!))
    if (!named) {
      if (plates.length > MOST_OF_A_LIST)
        throw new AlprError('ALPR_ERR_QUESTION_TOO_LARGE', {
          reason: `the list has ${plates.length} plates; at most ${MOST_OF_A_LIST}`,
        })
      checkCount(plates.length, misreads)
    }
    if (plates.length === 0) return { items: [] }
    // The likeliest listed plate for each text; a text on the list stands for itself.
    const meant = new Map<string, { listed: string; probability: number }>()
    for (const listed of plates) {
      for (const [text, probability] of await readingsOf(ask, listed, misreads, minProbability)) {
        if (probability > (meant.get(text)?.probability ?? 0)) meant.set(text, { listed, probability })
      }
    }
    const rows = await readsOfPlates<SightingRow>(ask, SIGHTING, [...meant.keys()], filter, limit)
    return {
      ...pageOf(rows, limit, (row) => [Number(row.begin), row.readId]),
      items: rows.slice(0, limit).map((row): LookBackItem => {
        const of = meant.get(row.text)
        return { ...sightingOf(row), listedPlate: of?.listed ?? row.text, probability: of?.probability ?? 0 }
      }),
    }
  },
  columns: [
    ['listedPlate', (s: LookBackItem) => s.listedPlate],
    ['probability', (s: LookBackItem) => s.probability],
    ...SIGHTING_COLUMNS,
  ],
  shape: pointOf,
})

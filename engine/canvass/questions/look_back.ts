import { Type } from '@sinclair/typebox'
import { filterOf, FilterFields } from '../filter.js'
import { readsOfPlates } from '../planner.js'
import { inputOf, pageOf, question } from '../question.js'
import { pointOf, SIGHTING, SIGHTING_COLUMNS, sightingOf, type Sighting, type SightingRow } from '../sighting.js'
import { plateOf, readingsOf } from './history.js'
import { LIST_ID } from '../../hotlists/hotlist.js'
import { AlprError } from '../../errors.js'
import { neverSeen, withNotes } from '../never_seen.js'

export interface LookBackItem extends Sighting {
  /** The listed plate that this read probably shows. */
  listedPlate: string
  probability: number
}

/** Most plates in a request, and of a hot list. With misreads each plate is a search of its own. */
const MAX_PLATES = 20_000
const MAX_OF_LIST = 200_000
const MAX_WITH_MISREADS = 100

const { pattern: _, lookAlikes: __, ...fields } = FilterFields

function checkCount(plates: number, misreads: boolean): void {
  if (misreads && plates > MAX_WITH_MISREADS)
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
      field: 'plates',
      reason: `${plates} plates; with misreads at most ${MAX_WITH_MISREADS}`,
    })
}

/**
 * Has any plate of this list been seen: matches a list against stored reads, newest first, as live matching does with
 * new ones.
 */
export const lookBack = question({
  kind: 'look-back',
  threads: 1,
  summary: 'Which plates of a list were read in these windows, newest first',
  schema: inputOf({
    ...fields,
    plates: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 32 }), { minItems: 1, maxItems: MAX_PLATES }),
    ),
    list: Type.Optional(
      Type.String({
        pattern: LIST_ID.source,
        description:
          `id of a hot list instead of plates: its current version, regardless of the validity of its entries; ` +
          `at most ${MAX_OF_LIST} plates`,
      }),
    ),
    misreads: Type.Boolean({
      default: false,
      description: `also likely misreads; for at most ${MAX_WITH_MISREADS} plates`,
    }),
    minProbability: Type.Number({ minimum: 0, maximum: 1, default: 0.001 }),
  }),
  prepare(input) {
    if ((input.plates === undefined) === (input.list === undefined))
      throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
        field: 'plates',
        reason: input.list === undefined ? 'name plates, or a list' : 'name plates or a list, not both',
      })
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
      if (plates.length > MAX_OF_LIST)
        throw new AlprError('ALPR_ERR_QUESTION_TOO_LARGE', {
          reason: `the list has ${plates.length} plates; at most ${MAX_OF_LIST}`,
        })
      checkCount(plates.length, misreads)
    }
    if (plates.length === 0) return { items: [] }
    // The most probable listed plate for each text; a text on the list means itself.
    const likeliest = new Map<string, { listed: string; probability: number }>()
    let leftOut = 0
    for (const listed of plates) {
      const { readings, left } = await readingsOf(ask, listed, misreads, minProbability)
      leftOut += left
      for (const [text, probability] of readings) {
        if (probability > (likeliest.get(text)?.probability ?? 0)) likeliest.set(text, { listed, probability })
      }
    }
    const rows = await readsOfPlates<SightingRow>(ask, SIGHTING, [...likeliest.keys()], filter, limit)
    const unknown = await neverSeen(ask, filter)
    return {
      ...pageOf(rows, limit, (row) => [Number(row.begin), row.readId]),
      items: rows.slice(0, limit).map((row): LookBackItem => {
        const match = likeliest.get(row.text)
        return { ...sightingOf(row), listedPlate: match?.listed ?? row.text, probability: match?.probability ?? 0 }
      }),
      ...withNotes({ ...unknown, ...(leftOut > 0 && { lessLikelyReadings: leftOut }) }),
    }
  },
  columns: [
    ['listedPlate', (s: LookBackItem) => s.listedPlate],
    ['probability', (s: LookBackItem) => s.probability],
    ...SIGHTING_COLUMNS,
  ],
  shape: pointOf,
})

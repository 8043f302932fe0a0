import { Type } from '@sinclair/typebox'
import { AlprError } from '../../errors.js'
import { normalisePlate } from '../../../wasm/mod.js'
import type { Candidate } from '../../plate_search/candidates.js'
import { filterOf, FilterFields } from '../filter.js'
import { parsePattern } from '../../plate_search/pattern.js'
import { readsOfPlates } from '../planner.js'
import { inputOf, pageOf, question, type Ask, type CsvColumn } from '../question.js'
import { pointOf, SIGHTING, SIGHTING_COLUMNS, sightingOf, type Sighting, type SightingRow } from '../sighting.js'
import { legOf, type Leg } from '../../geo/travel.js'
import { neverSeen } from '../never_seen.js'

/** Most texts that may stand for one plate, including the plate itself. */
const MAX_READINGS = 50

export interface HistoryItem extends Sighting {
  /** Probability that the vehicle is the one in question: 1 for the same text, less for misread characters. */
  probability: number
  /** From the previous sighting (the next of the list) to this one; absent for the earliest. */
  leg?: Leg
}

const COLUMNS: readonly CsvColumn<HistoryItem>[] = [
  ...SIGHTING_COLUMNS,
  ['probability', (s) => s.probability],
  ['gapS', (s) => s.leg?.gapS],
  ['distanceM', (s) => s.leg?.distanceM],
  ['speedKmh', (s) => s.leg?.speedKmh],
  ['impossible', (s) => s.leg?.impossible],
]

const { pattern: _, lookAlikes: __, ...fields } = FilterFields

/** Where has this plate been: its track, newest first, with gaps, speeds, and whether one vehicle can have done it. */
export const history = question({
  kind: 'history',
  summary: 'Where a plate has been, newest first, exactly as read or through misreads',
  schema: inputOf({
    ...fields,
    plate: Type.String({ minLength: 1, maxLength: 32, description: 'spaces, dashes and case do not matter' }),
    misreads: Type.Boolean({
      default: false,
      description: `also texts that a camera may have read instead, at most ${MAX_READINGS}, each with its probability`,
    }),
    minProbability: Type.Number({ minimum: 0, maximum: 1, default: 0.001, description: 'of a misread' }),
  }),
  prepare(input) {
    const plate = plateOf(input.plate)
    return {
      plate,
      misreads: input.misreads,
      minProbability: input.minProbability,
      filter: filterOf({ ...input, lookAlikes: true }),
    }
  },
  async answer(ask, { plate, misreads, minProbability, filter }, limit) {
    const { readings, left } = await readingsOf(ask, plate, misreads, minProbability)
    const rows = await readsOfPlates<SightingRow>(ask, SIGHTING, [...readings.keys()], filter, limit)
    const unknown = await neverSeen(ask, filter)
    const items = rows.slice(0, limit).map((row, index): HistoryItem => {
      const previous = rows[index + 1]
      return {
        ...sightingOf(row),
        probability: readings.get(row.text) ?? 0,
        ...(previous && {
          leg: legOf(
            { tsLast: Number(previous.end), lat: previous.y, lon: previous.x },
            { ts: Number(row.begin), lat: row.y, lon: row.x },
          ),
        }),
      }
    })
    return {
      ...pageOf(rows, limit, (row) => [Number(row.begin), row.readId]),
      items,
      notes: {
        readings: [...readings].map(([text, probability]) => ({ plate: text, probability })),
        ...(left > 0 && { lessLikelyReadings: left }),
        ...unknown,
      },
    }
  },
  columns: COLUMNS,
  shape: pointOf,
})

/** @throws ALPR_ERR_REQUEST_INVALID for a text without a letter or digit */
export function plateOf(text: string): string {
  const plate = normalisePlate(text)
  if (plate === '' || plate.length > 16)
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
      field: 'plate',
      reason: 'plate must have 1 to 16 letters and digits',
    })
  return plate
}

export interface Readings {
  /** The probability of each text. */
  readings: Map<string, number>
  /** Less likely ones that are left out, at least so many. */
  left: number
}

/**
 * The plate and the texts that may have been read in its place (look-alikes anywhere, or one character misread, missing
 * or extra), each with its probability.
 * @throws ALPR_ERR_SEARCH_TOO_COSTLY
 */
export async function readingsOf(
  ask: Ask,
  plate: string,
  misreads: boolean,
  minProbability: number,
): Promise<Readings> {
  const readings = new Map([[plate, 1]])
  if (!misreads) return { readings, left: 0 }
  const source = `${plate}~1`
  const { plates, more, partial, scanned, of } = await ask.search.search(
    { pattern: parsePattern(source), source, lookAlikes: true, limit: 10 * MAX_READINGS, signal: ask.signal },
    ask.rows,
  )
  // A history must not lack readings in silence.
  if (partial) throw new AlprError('ALPR_ERR_SEARCH_TOO_COSTLY', { reason: `${scanned} of ${of} plates were searched` })
  const likely = plates
    .filter((one: Candidate) => one.plate !== plate && one.probability >= minProbability)
    .sort((a, b) => b.probability - a.probability || (a.plate < b.plate ? -1 : 1))
  for (const one of likely.slice(0, MAX_READINGS - 1)) readings.set(one.plate, one.probability)
  ask.note('readings', { search: ask.search.name, found: plates.length, used: readings.size })
  return { readings, left: likely.length - (readings.size - 1) + (more ? 1 : 0) }
}

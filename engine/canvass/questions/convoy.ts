import { Type } from '@sinclair/typebox'
import { neighbouringReads, type Anchor, type NeighbouringRead } from '../neighbouring_reads.js'
import { filterOf, FilterFields } from '../filter.js'
import { readsOfPlates } from '../planner.js'
import { inputOf, pageOf, question, type Ask } from '../question.js'
import { iso } from '../sighting.js'
import { sql, tableOf, value } from '../../store/sql.js'
import { plateOf } from './history.js'
import { surprise, type Traffic } from '../significance.js'
import { DAY_MS, HOUR_MS } from '../../model/time.js'

/** A vehicle that kept meeting the one asked for. */
export interface Companion {
  plate: string
  /** Sightings of the one asked for near which it was read too. */
  meetings: number
  /** Different cameras and different days of these meetings: ten on one morning are one trip. */
  cameras: number
  days: number
  first: string
  last: string
  /** Seconds by which it came after the other, median; negative: ahead. */
  medianGapS: number
  /** Meetings that its traffic would give by chance. */
  expected: number
  /** -log10 of the probability of as many meetings by chance: 3 is one in a thousand, for this one vehicle. */
  score: number
}

/** A sighting of the vehicle; `at` in ms. */
type Sight = Pick<Anchor, 'cam' | 'at'>

const SIGHT = sql`camera AS cam, cell, toUnixTimestamp64Milli(ts) AS begin, toString(read_id) AS readId`

/** Sightings of the vehicle that are looked at, the latest. */
const MOST_SIGHTINGS = 500

const { pattern: _, lookAlikes: __, minConfidence: ___, direction: ____, regions: _____, ...fields } = FilterFields

/**
 * Who travels with whom: vehicles read by the same camera within a short time of this one, again and again. The score
 * weighs how busy the cameras are and how often the other vehicle passes them anyway: a commuter meets many by chance.
 */
export const convoy = question({
  kind: 'convoy',
  summary: 'Vehicles that keep meeting this one, and whether that may be chance',
  schema: inputOf({
    ...fields,
    plate: Type.String({ minLength: 1, maxLength: 32 }),
    gapS: Type.Number({ minimum: 1, maximum: 600, default: 30, description: 'seconds between the two at one camera' }),
    minMeetings: Type.Integer({ minimum: 2, maximum: 500, default: 3 }),
  }),
  prepare(input) {
    return {
      plate: plateOf(input.plate),
      gapMs: Math.round(input.gapS * 1_000),
      minMeetings: input.minMeetings,
      filter: filterOf({ ...input, lookAlikes: true }),
    }
  },
  async answer(ask, { plate, gapMs, minMeetings, filter }, limit) {
    // The page of a convoy is cut from companions, not from sightings.
    const found = await readsOfPlates<{ cam: string; cell: number; begin: string; readId: string }>(
      { ...ask, after: undefined },
      SIGHT,
      [plate],
      filter,
      MOST_SIGHTINGS,
    )
    const sights = found.slice(0, MOST_SIGHTINGS).map(({ cam, cell, begin }) => ({ cam, cell, at: Number(begin) }))
    const notes = { sightings: sights.length, ...(found.length > MOST_SIGHTINGS && { onlyTheLatest: MOST_SIGHTINGS }) }
    if (sights.length < minMeetings) return { items: [], notes }
    const passes = await neighbouringReads(ask, plate, sights, gapMs)
    const companions = await judged(ask, meetingsOf(sights, passes, gapMs), minMeetings, sights, gapMs)
    companions.sort((a, b) => b.score - a.score || b.meetings - a.meetings || (a.plate < b.plate ? -1 : 1))
    const from = ask.after === undefined ? 0 : companions.findIndex((one) => one.plate === ask.after![0]) + 1
    return { ...pageOf(companions.slice(from), limit, (one) => [one.plate]), notes }
  },
  columns: [
    ['plate', (c) => c.plate],
    ['meetings', (c) => c.meetings],
    ['cameras', (c) => c.cameras],
    ['days', (c) => c.days],
    ['first', (c) => c.first],
    ['last', (c) => c.last],
    ['medianGapS', (c) => c.medianGapS],
    ['expected', (c) => c.expected],
    ['score', (c) => c.score],
  ],
  shape: () => undefined,
})

/**
 * By plate the sightings it was near to, the nearest of its reads each time; by camera how many reads were near a
 * sighting.
 */
interface Meetings {
  met: Map<string, Map<number, number>>
  near: Map<string, number>
}

export function meetingsOf(sights: readonly Sight[], passes: readonly NeighbouringRead[], gapMs: number): Meetings {
  const byCamera = new Map<string, { at: number; index: number }[]>()
  sights.forEach(({ cam, at }, index) => {
    const list = byCamera.get(cam) ?? []
    list.push({ at, index })
    byCamera.set(cam, list)
  })
  const met = new Map<string, Map<number, number>>()
  const near = new Map<string, number>()
  for (const { text, cam, at } of passes) {
    const of = met.get(text) ?? new Map<number, number>()
    let close = false
    for (const sight of byCamera.get(cam) ?? []) {
      const offset = Number(at) - sight.at
      if (Math.abs(offset) > gapMs) continue
      close = true
      const before = of.get(sight.index)
      if (
        before === undefined ||
        Math.abs(offset) < Math.abs(before) ||
        (Math.abs(offset) === Math.abs(before) && offset < before)
      )
        of.set(sight.index, offset)
    }
    if (!close) continue
    met.set(text, of)
    near.set(cam, (near.get(cam) ?? 0) + 1)
  }
  return { met, near }
}

/**
 * Adds what traffic there was: of each companion by camera, and of each camera in all, over the hours from the first
 * sighting to the last.
 */
async function judged(
  ask: Ask,
  { met, near }: Meetings,
  least: number,
  sights: readonly Sight[],
  gapMs: number,
): Promise<Companion[]> {
  const often = [...met].filter(([, of]) => of.size >= least)
  if (often.length === 0) return []
  const cameras = [...new Set(sights.map(({ cam }) => cam))]
  const times = sights.map(({ at }) => at)
  const from = Math.floor((Math.min(...times) - gapMs) / HOUR_MS) * HOUR_MS
  const to = (Math.floor((Math.max(...times) + gapMs) / HOUR_MS) + 1) * HOUR_MS
  const span = [value('UInt32', from / 1_000), value('UInt32', to / 1_000)] as const
  const [ofPlate, ofCamera] = await Promise.all([
    ask.rows<{ text: string; cam: string; n: number }>(
      sql`
      SELECT plate AS text, camera AS cam, toUInt32(count()) AS n FROM ${tableOf(ask.database, 'reads_by_plate')} FINAL
      WHERE NOT gone AND plate IN ${value(
        'Array(String)',
        often.map(([text]) => text),
      )} AND camera IN ${value('Array(String)', cameras)} AND ts >= toDateTime(${span[0]}, 'UTC') AND ts < toDateTime(${span[1]}, 'UTC')
      GROUP BY plate, camera`,
      'traffic of the others',
    ),
    ask.rows<{ cam: string; n: number }>(
      sql`
      SELECT camera AS cam, toUInt32(sum(reads)) AS n FROM ${tableOf(ask.database, 'camera_hour')}
      WHERE camera IN ${value('Array(String)', cameras)} AND hour >= toDateTime(${span[0]}, 'UTC') AND hour < toDateTime(${span[1]}, 'UTC') GROUP BY camera`,
      'traffic of the cameras',
    ),
  ])
  const traffic: Traffic = { near, all: new Map(ofCamera.map(({ cam, n }) => [cam, n])) }
  const own = new Map<string, Map<string, number>>()
  for (const { text, cam, n } of ofPlate) {
    const of = own.get(text) ?? new Map<string, number>()
    own.set(text, of.set(cam, n))
  }
  return often.map(([plate, of]): Companion => {
    const offsets = [...of.values()].sort((a, b) => a - b)
    const { expected, score } = surprise(of.size, own.get(plate) ?? new Map(), traffic)
    const at = [...of.keys()].map((index) => sights[index]!)
    const seen = at.map((one) => one.at)
    return {
      plate,
      meetings: of.size,
      cameras: new Set(at.map(({ cam }) => cam)).size,
      days: new Set(seen.map((ms) => Math.floor(ms / DAY_MS))).size,
      first: iso(Math.min(...seen)),
      last: iso(Math.max(...seen)),
      medianGapS: offsets[offsets.length >> 1]! / 1_000,
      expected,
      score,
    }
  })
}

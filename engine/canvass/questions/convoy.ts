import { Type } from '@sinclair/typebox'
import { anchorsOf, readsAround, type Anchor, type ReadAround } from '../around.js'
import { filterOf, FilterFields, type Filter } from '../filter.js'
import { readsOfPlates } from '../planner.js'
import { inputOf, pageOf, question, type Ask } from '../question.js'
import { iso } from '../sighting.js'
import { sql, tableOf, value } from '../sql.js'
import { plateOf } from './history.js'
import { surprise, type Traffic } from '../chance.js'

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

/** `begin` in ms. */
interface Sight { cam: string; begin: number }

const ANCHOR = sql`camera AS cam, cell, toUnixTimestamp64Milli(ts) AS begin, toString(read_id) AS readId`

/** Sightings of the vehicle that are looked at, the latest. */
const MOST_SIGHTINGS = 500
/** Places of the index that are asked for: some are no longer of this plate, or not in the question's places. */
const MOST_ANCHORS = Math.ceil(MOST_SIGHTINGS * 1.125)

const { pattern: _, lookAlikes: __, minConfidence: ___, direction: ____, regions: _____, ...fields } = FilterFields

/**
 * Who travels with whom: vehicles read by the same camera within a short time of this one, again and again. The score weighs how busy the cameras are and how
 * often the other vehicle passes them anyway: a commuter meets many by chance.
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
    return { plate: plateOf(input.plate), gapMs: Math.round(input.gapS * 1_000), minMeetings: input.minMeetings, filter: filterOf({ ...input, lookAlikes: true }) }
  },
  async answer(ask, { plate, gapMs, minMeetings, filter }, limit) {
    const { sights, passes, more } = await sightingsAndPasses(ask, plate, filter, gapMs, minMeetings)
    const notes = { sightings: sights.length, ...(more && { onlyTheLatest: MOST_SIGHTINGS }) }
    if (sights.length < minMeetings) return { items: [], notes }
    const companions = await judged(ask, meetingsOf(sights, passes, gapMs), minMeetings, sights, gapMs)
    companions.sort((a, b) => b.score - a.score || b.meetings - a.meetings || (a.plate < b.plate ? -1 : 1))
    const from = ask.after === undefined ? 0 : companions.findIndex((one) => one.plate === ask.after![0]) + 1
    return { ...pageOf(companions.slice(from), limit, (one) => [one.plate]), notes }
  },
  columns: [
    ['plate', (c) => c.plate], ['meetings', (c) => c.meetings], ['cameras', (c) => c.cameras], ['days', (c) => c.days], ['first', (c) => c.first], ['last', (c) => c.last],
    ['medianGapS', (c) => c.medianGapS], ['expected', (c) => c.expected], ['score', (c) => c.score],
  ],
  shape: () => undefined,
})

/**
 * What the vehicle was seen by, and who came near. One look at `reads` for both: the index by plate says where to look, and what lies there tells whether the
 * vehicle's reads still have its plate as well as who else passed.
 */
async function sightingsAndPasses(ask: Ask, plate: string, filter: Filter, gapMs: number, least: number): Promise<{ sights: Sight[]; passes: ReadAround[]; more: boolean }> {
  let anchors = await anchorsOf(ask, plate, filter, MOST_ANCHORS + 1)
  let more = false
  if (anchors.length < least) return { sights: [], passes: [], more }
  if (anchors.length > MOST_ANCHORS) {
    // So many that the latest sightings must be told from the rest first. The page of a convoy is cut from companions, not from sightings.
    const latest = await readsOfPlates<Anchor & { begin: string; readId: string }>({ ...ask, after: undefined }, ANCHOR, [{ plate }], filter, MOST_SIGHTINGS)
    more = latest.length > MOST_SIGHTINGS
    anchors = latest.slice(0, MOST_SIGHTINGS).map(({ cam, cell, begin }) => ({ cam, cell, at: Number(begin) }))
  }
  const around = await readsAround(ask, anchors, gapMs, filter)
  const own = around.filter(({ text, inside }) => text === plate && inside === 1).sort((a, b) => Number(b.at) - Number(a.at) || (BigInt(b.readId) > BigInt(a.readId) ? 1 : -1))
  return {
    sights: own.slice(0, MOST_SIGHTINGS).map(({ cam, at }) => ({ cam, begin: Number(at) })), passes: around.filter(({ text }) => text !== plate),
    more: more || own.length > MOST_SIGHTINGS,
  }
}

/** By plate the sightings it was near to, the nearest of its reads each time; by camera how many reads were near a sighting. */
interface Meetings { met: Map<string, Map<number, number>>; near: Map<string, number> }

export function meetingsOf(sights: readonly Sight[], passes: readonly Pick<ReadAround, 'text' | 'cam' | 'at'>[], gapMs: number): Meetings {
  const byCamera = new Map<string, { at: number; index: number }[]>()
  sights.forEach(({ cam, begin: at }, index) => {
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
      if (before === undefined || Math.abs(offset) < Math.abs(before) || (Math.abs(offset) === Math.abs(before) && offset < before)) of.set(sight.index, offset)
    }
    if (!close) continue
    met.set(text, of)
    near.set(cam, (near.get(cam) ?? 0) + 1)
  }
  return { met, near }
}

/** Adds what traffic there was: of each companion by camera, and of each camera in all, over the hours from the first sighting to the last. */
async function judged(ask: Ask, { met, near }: Meetings, least: number, sights: readonly Sight[], gapMs: number): Promise<Companion[]> {
  const often = [...met].filter(([, of]) => of.size >= least)
  if (often.length === 0) return []
  const cameras = [...new Set(sights.map(({ cam }) => cam))]
  const times = sights.map(({ begin }) => begin)
  const hour = 3_600_000
  const from = Math.floor((Math.min(...times) - gapMs) / hour) * hour
  const to = (Math.floor((Math.max(...times) + gapMs) / hour) + 1) * hour
  const span = [value('UInt32', from / 1_000), value('UInt32', to / 1_000)] as const
  const [ofPlate, ofCamera] = await Promise.all([
    ask.rows<{ text: string; cam: string; n: number }>(sql`
      SELECT plate AS text, camera AS cam, toUInt32(uniqExact(ts, cell)) AS n FROM ${tableOf(ask.database, 'reads_by_plate')}
      WHERE plate IN ${value('Array(String)', often.map(([text]) => text))} AND camera IN ${value('Array(String)', cameras)} AND ts >= toDateTime(${span[0]}, 'UTC') AND ts < toDateTime(${span[1]}, 'UTC')
      GROUP BY plate, camera`, 'traffic of the others'),
    ask.rows<{ cam: string; n: number }>(sql`
      SELECT camera AS cam, toUInt32(sum(reads)) AS n FROM ${tableOf(ask.database, 'camera_hour')}
      WHERE camera IN ${value('Array(String)', cameras)} AND hour >= toDateTime(${span[0]}, 'UTC') AND hour < toDateTime(${span[1]}, 'UTC') GROUP BY camera`, 'traffic of the cameras'),
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
    const seen = at.map(({ begin }) => begin)
    return {
      plate, meetings: of.size, cameras: new Set(at.map(({ cam }) => cam)).size, days: new Set(seen.map((ms) => Math.floor(ms / 86_400_000))).size,
      first: iso(Math.min(...seen)), last: iso(Math.max(...seen)), medianGapS: offsets[offsets.length >> 1]! / 1_000, expected, score,
    }
  })
}

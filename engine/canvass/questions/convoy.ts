import { DAY_MS, HOUR_MS } from '../../model/time.js'
import { Type } from '@sinclair/typebox'
import { neighbouringReads, type Anchor, type NeighbouringRead } from '../neighbouring_reads.js'
import { filterOf, FilterFields } from '../filter.js'
import { readsOfPlates } from '../planner.js'
import { inputOf, pageOf, question, type Ask } from '../question.js'
import { iso } from '../sighting.js'
import { leastOf, mostOf } from '../../runtime/extremes.js'
import { sql, tableOf, value } from '../../store/sql.js'
import { plateOf } from './history.js'
import { significanceOf, type Traffic } from '../significance.js'

/** A vehicle that repeatedly met the one in question. */
export interface Companion {
  plate: string
  /** Sightings of the vehicle in question near which this one was read too. */
  meetings: number
  /** Distinct cameras and distinct days of these meetings: ten on one morning are one trip. */
  cameras: number
  days: number
  first: string
  last: string
  /** Median of the seconds by which it came after the other; negative: ahead. */
  medianGapS: number
  /** Meetings to expect by chance from its traffic. */
  expected: number
  /** -log10 of the probability of this many meetings by chance: 3 is one in a thousand, for this one vehicle. */
  score: number
}

/** A sighting of the vehicle; `at` in ms. */
type Sight = Pick<Anchor, 'cam' | 'at'>

const SIGHT = sql`camera AS cam, cell, toUnixTimestamp64Milli(ts) AS begin, toString(read_id) AS readId`

/** Only the latest sightings of the vehicle count. */
const MAX_SIGHTINGS = 500

const { pattern: _, lookAlikes: __, minConfidence: ___, direction: ____, regions: _____, ...fields } = FilterFields

/**
 * Who travels with whom: vehicles that the same cameras repeatedly read within a short time of this one. The score
 * accounts for how busy the cameras are and how often the other vehicle passes them anyway: a commuter meets many by
 * chance.
 */
export const convoy = question({
  kind: 'convoy',
  summary: 'Vehicles that repeatedly meet this one, and whether that may be chance',
  schema: inputOf({
    ...fields,
    plate: Type.String({ minLength: 1, maxLength: 32 }),
    gapS: Type.Number({
      minimum: 1,
      maximum: 600,
      default: 30,
      description: 'most seconds between the two at one camera',
    }),
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
    // The cursor of a convoy counts companions, not sightings.
    const found = await readsOfPlates<{ cam: string; cell: number; begin: string; readId: string }>(
      { ...ask, after: undefined },
      SIGHT,
      [plate],
      filter,
      MAX_SIGHTINGS,
    )
    const sights = found.slice(0, MAX_SIGHTINGS).map(({ cam, cell, begin }) => ({ cam, cell, at: Number(begin) }))
    const notes = { sightings: sights.length, ...(found.length > MAX_SIGHTINGS && { onlyTheLatest: MAX_SIGHTINGS }) }
    if (sights.length < minMeetings) return { items: [], notes }
    const reads = await neighbouringReads(ask, plate, sights, gapMs)
    const companions = await companionsOf(ask, meetingsOf(sights, reads, gapMs), minMeetings, sights, gapMs)
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

interface Meetings {
  /** By plate: indexes of the sightings it met, each with the offset in ms of its nearest read. */
  met: Map<string, Map<number, number>>
  /** By camera: reads near a sighting. */
  near: Map<string, number>
}

/** Pairs sightings of the vehicle with reads of others by the same camera within the gap. */
export function meetingsOf(sights: readonly Sight[], reads: readonly NeighbouringRead[], gapMs: number): Meetings {
  const byCamera = new Map<string, { at: number; index: number }[]>()
  sights.forEach(({ cam, at }, index) => {
    const list = byCamera.get(cam) ?? []
    list.push({ at, index })
    byCamera.set(cam, list)
  })
  const met = new Map<string, Map<number, number>>()
  const near = new Map<string, number>()
  for (const { text, cam, at } of reads) {
    const meetings = met.get(text) ?? new Map<number, number>()
    let isNear = false
    for (const sight of byCamera.get(cam) ?? []) {
      const offset = Number(at) - sight.at
      if (Math.abs(offset) > gapMs) continue
      isNear = true
      const nearest = meetings.get(sight.index)
      if (
        nearest === undefined ||
        Math.abs(offset) < Math.abs(nearest) ||
        (Math.abs(offset) === Math.abs(nearest) && offset < nearest)
      )
        meetings.set(sight.index, offset)
    }
    if (!isNear) continue
    met.set(text, meetings)
    near.set(cam, (near.get(cam) ?? 0) + 1)
  }
  return { met, near }
}

/** The vehicles with at least `minMeetings` meetings, each with its score. */
async function companionsOf(
  ask: Ask,
  { met, near }: Meetings,
  minMeetings: number,
  sights: readonly Sight[],
  gapMs: number,
): Promise<Companion[]> {
  const frequent = [...met].filter(([, meetings]) => meetings.size >= minMeetings)
  if (frequent.length === 0) return []
  const texts = frequent.map(([text]) => text)
  const { passes, all } = await trafficOf(ask, texts, sights, gapMs)
  return frequent.map(([plate, meetings]): Companion => {
    const offsets = [...meetings.values()].sort((a, b) => a - b)
    const { expected, score } = significanceOf(meetings.size, passes.get(plate) ?? new Map(), { near, all })
    const metSights = [...meetings.keys()].map((index) => sights[index]!)
    const times = metSights.map(({ at }) => at)
    return {
      plate,
      meetings: meetings.size,
      cameras: new Set(metSights.map(({ cam }) => cam)).size,
      days: new Set(times.map((ms) => Math.floor(ms / DAY_MS))).size,
      first: iso(leastOf(times)),
      last: iso(mostOf(times)),
      medianGapS: offsets[offsets.length >> 1]! / 1_000,
      expected,
      score,
    }
  })
}

/**
 * Passes of each of these plates by camera, and all reads of each camera, over the hours from the first sighting to the
 * last.
 */
async function trafficOf(
  ask: Ask,
  plates: readonly string[],
  sights: readonly Sight[],
  gapMs: number,
): Promise<{ passes: Map<string, Map<string, number>>; all: Traffic['all'] }> {
  const cameras = value('Array(String)', [...new Set(sights.map(({ cam }) => cam))])
  const times = sights.map(({ at }) => at)
  const from = Math.floor((leastOf(times) - gapMs) / HOUR_MS) * HOUR_MS
  const to = (Math.floor((mostOf(times) + gapMs) / HOUR_MS) + 1) * HOUR_MS
  const begin = sql`toDateTime(${value('UInt32', from / 1_000)}, 'UTC')`
  const end = sql`toDateTime(${value('UInt32', to / 1_000)}, 'UTC')`
  const [ofPlates, ofCameras] = await Promise.all([
    ask.rows<{ text: string; cam: string; n: number }>(
      sql`
      SELECT plate AS text, camera AS cam, toUInt32(count()) AS n FROM ${tableOf(ask.database, 'reads_by_plate')} FINAL
      WHERE NOT gone AND plate IN ${value('Array(String)', plates)} AND camera IN ${cameras}
        AND ts >= ${begin} AND ts < ${end}
      GROUP BY plate, camera`,
      'traffic of the others',
    ),
    ask.rows<{ cam: string; n: number }>(
      sql`
      SELECT camera AS cam, toUInt32(sum(reads)) AS n FROM ${tableOf(ask.database, 'camera_hour')}
      WHERE camera IN ${cameras} AND hour >= ${begin} AND hour < ${end} GROUP BY camera`,
      'traffic of the cameras',
    ),
  ])
  const passes = new Map<string, Map<string, number>>()
  for (const { text, cam, n } of ofPlates) {
    const byCamera = passes.get(text) ?? new Map<string, number>()
    passes.set(text, byCamera.set(cam, n))
  }
  return { passes, all: new Map(ofCameras.map(({ cam, n }) => [cam, n])) }
}

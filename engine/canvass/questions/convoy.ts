import { Type } from '@sinclair/typebox'
import { coverOf } from '../cover.js'
import { filterOf, FilterFields } from '../filter.js'
import { readsOfPlates } from '../planner.js'
import { inputOf, pageOf, question, type Ask } from '../question.js'
import { iso } from '../sighting.js'
import { mondayOf, WEEK_MS } from '../../store/week.js'
import { and, or, sql, tableOf, time, value } from '../sql.js'
import { plateOf } from './history.js'
import { surprise, type Traffic } from '../chance.js'
import { AlprError } from '../../errors.js'

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

interface Sight { cam: string; begin: string; readId: string; y: number; x: number }
interface Pass { text: string; cam: string; at: string }

const SIGHT = sql`camera AS cam, toUnixTimestamp64Milli(ts) AS begin, toString(read_id) AS readId, lat AS y, lon AS x`

/** Sightings of the vehicle that are looked at, the latest. */
const MOST_SIGHTINGS = 500
const MOST_PASSES = 500_000
/** How far a car with a camera may have come between the two reads: 250 km/h, and at least 5 km because positions err. */
const FASTEST_M_S = 70
const NEAREST_REACH_M = 5_000

const { pattern: _, lookAlikes: __, minConfidence: ___, direction: ____, regions: _____, ...fields } = FilterFields

/**
 * Who travels with whom: vehicles read by the same camera within a short time of this one, again and again. The score weighs how busy the cameras are and how
 * often the other vehicle passes them anyway: a commuter meets many by chance.
 */
export const convoy = question({
  kind: 'convoy',
  threads: 1,
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
    // The page of a convoy is cut from companions, not from sightings.
    const sights = await readsOfPlates<Sight>({ ...ask, after: undefined }, SIGHT, [{ plate }], filter, MOST_SIGHTINGS)
    const used = sights.slice(0, MOST_SIGHTINGS)
    const notes = { sightings: used.length, ...(sights.length > MOST_SIGHTINGS && { onlyTheLatest: MOST_SIGHTINGS }) }
    if (used.length < minMeetings) return { items: [], notes }
    const passes = await passesAround(ask, used, gapMs, plate)
    const companions = await judged(ask, meetingsOf(used, passes, gapMs, minMeetings), used, passes, gapMs)
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
 * All reads of the sightings' cameras within the gap of one of them. Week by week, so that the cells of one week's cameras are looked up in that week only;
 * slots of time and camera pick the rows.
 */
async function passesAround(ask: Ask, sights: readonly Sight[], gapMs: number, plate: string): Promise<Pass[]> {
  const cameras = [...new Set(sights.map(({ cam }) => cam))]
  // A car with a camera may have driven on between the two: cells that it ever was in, as far as it can have come.
  const where = await ask.rows<{ cam: string; cells: number[] }>(sql`SELECT camera AS cam, groupUniqArray(cell) AS cells FROM ${tableOf(ask.database, 'camera_cells')} WHERE camera IN ${value('Array(String)', cameras)} GROUP BY camera`, 'cells of the cameras')
  const known = new Map(where.map(({ cam, cells }) => [cam, cells]))
  const cellsOf = ({ cam, y, x }: Sight): number[] => {
    const cells = known.get(cam) ?? []
    if (cells.length <= 1) return cells
    const ranges = coverOf({ kind: 'circle', lat: y, lon: x, radiusM: Math.max(NEAREST_REACH_M, (gapMs / 1_000) * FASTEST_M_S) })
    return cells.filter((cell) => ranges.some(({ from, to }) => cell >= from && cell <= to))
  }
  const slots = new Map<string, { cam: string; slot: number }>()
  const weeks = new Map<number, Sight[]>()
  for (const sight of sights) {
    const at = Number(sight.begin)
    for (let slot = Math.floor((at - gapMs) / gapMs); slot <= Math.floor((at + gapMs) / gapMs); slot++) slots.set(`${sight.cam} ${slot}`, { cam: sight.cam, slot })
    // Around midnight on Sunday the other may have come in the other week.
    for (const week of new Set([mondayOf(at - gapMs), mondayOf(at + gapMs)])) weeks.set(week, [...(weeks.get(week) ?? []), sight])
  }
  const pairs = [...slots.values()]
  const there = or([...weeks].map(([week, of]) => and([
    sql`ts >= ${time(week)} AND ts < ${time(week + WEEK_MS)}`, spansSql(of, gapMs),
    sql`cell IN ${value('Array(UInt32)', [...new Set(of.flatMap(cellsOf))])}`,
  ])))
  const passes = await ask.rows<Pass>(sql`
    SELECT plate AS text, camera AS cam, toUnixTimestamp64Milli(ts) AS at
    FROM ${ask.reads({
      fixed: and([there, sql`(camera, intDiv(toUnixTimestamp64Milli(ts), ${value('Int64', gapMs)})) IN (SELECT arrayJoin(arrayZip(${value('Array(String)', pairs.map(({ cam }) => cam))}, ${value('Array(Int64)', pairs.map(({ slot }) => slot))})) AS pair)`]),
      rest: sql`plate NOT IN ('', ${value('String', plate)})`,
    })} LIMIT ${value('UInt32', MOST_PASSES + 1)}`, 'passes around them')
  if (passes.length > MOST_PASSES) throw new AlprError('ALPR_ERR_QUESTION_TOO_LARGE', { reason: `more than ${MOST_PASSES} reads around the sightings` })
  return passes
}

/** At most eight ranges of time a week: those nearest each other are joined. */
function spansSql(sights: readonly Sight[], gapMs: number) {
  const times = sights.map(({ begin }) => Number(begin)).sort((a, b) => a - b)
  for (let join = 2 * gapMs; ; join *= 4) {
    const spans: { from: number; to: number }[] = []
    for (const at of times) {
      const last = spans.at(-1)
      if (last && at - gapMs <= last.to + join) last.to = at + gapMs
      else spans.push({ from: at - gapMs, to: at + gapMs })
    }
    if (spans.length <= 8) return or(spans.map(({ from, to }) => sql`(ts >= ${time(from)} AND ts <= ${time(to)})`))
  }
}

interface Meetings { at: { sight: number; offset: number; cam: string }[] }

/** By plate the sightings it was near to; of several reads near one sighting the nearest counts. */
function meetingsOf(sights: readonly Sight[], passes: readonly Pass[], gapMs: number, least: number): Map<string, Meetings> {
  const byCamera = new Map<string, { at: number; index: number }[]>()
  sights.forEach(({ cam, begin: at }, index) => {
    const list = byCamera.get(cam) ?? []
    list.push({ at: Number(at), index })
    byCamera.set(cam, list)
  })
  const met = new Map<string, Map<number, number>>()
  for (const { text, cam, at } of passes) {
    for (const sight of byCamera.get(cam) ?? []) {
      const offset = Number(at) - sight.at
      if (Math.abs(offset) > gapMs) continue
      const of = met.get(text) ?? new Map<number, number>()
      const before = of.get(sight.index)
      if (before === undefined || Math.abs(offset) < Math.abs(before) || (Math.abs(offset) === Math.abs(before) && offset < before)) of.set(sight.index, offset)
      met.set(text, of)
    }
  }
  return new Map([...met].filter(([, of]) => of.size >= least).map(([text, of]) => [text, { at: [...of].map(([index, offset]) => ({ sight: Number(sights[index]!.begin), offset, cam: sights[index]!.cam })) }]))
}

/** Adds what traffic there was: of each companion by camera, and of each camera in all, over the hours from the first sighting to the last. */
async function judged(ask: Ask, met: Map<string, Meetings>, sights: readonly Sight[], passes: readonly Pass[], gapMs: number): Promise<Companion[]> {
  if (met.size === 0) return []
  const cameras = [...new Set(sights.map(({ cam }) => cam))]
  const times = sights.map(({ begin }) => Number(begin))
  const hour = 3_600_000
  const from = Math.floor((Math.min(...times) - gapMs) / hour) * hour
  const to = (Math.floor((Math.max(...times) + gapMs) / hour) + 1) * hour
  const span = [value('UInt32', from / 1_000), value('UInt32', to / 1_000)] as const
  const [ofPlate, ofCamera] = await Promise.all([
    ask.rows<{ text: string; cam: string; n: number }>(sql`
      SELECT plate AS text, camera AS cam, toUInt32(uniqExact(ts, cell)) AS n FROM ${tableOf(ask.database, 'reads_by_plate')}
      WHERE plate IN ${value('Array(String)', [...met.keys()])} AND camera IN ${value('Array(String)', cameras)} AND ts >= toDateTime(${span[0]}, 'UTC') AND ts < toDateTime(${span[1]}, 'UTC')
      GROUP BY plate, camera`, 'traffic of the others'),
    ask.rows<{ cam: string; n: number }>(sql`
      SELECT camera AS cam, toUInt32(sum(reads)) AS n FROM ${tableOf(ask.database, 'camera_hour')}
      WHERE camera IN ${value('Array(String)', cameras)} AND hour >= toDateTime(${span[0]}, 'UTC') AND hour < toDateTime(${span[1]}, 'UTC') GROUP BY camera`, 'traffic of the cameras'),
  ])
  const traffic: Traffic = { near: new Map(), all: new Map(ofCamera.map(({ cam, n }) => [cam, n])) }
  for (const { cam } of passes) traffic.near.set(cam, (traffic.near.get(cam) ?? 0) + 1)
  const own = new Map<string, Map<string, number>>()
  for (const { text, cam, n } of ofPlate) {
    const of = own.get(text) ?? new Map<string, number>()
    own.set(text, of.set(cam, n))
  }
  return [...met].map(([plate, { at }]): Companion => {
    const offsets = at.map(({ offset }) => offset).sort((a, b) => a - b)
    const { expected, score } = surprise(at.length, own.get(plate) ?? new Map(), traffic)
    const seen = at.map(({ sight }) => sight)
    return {
      plate, meetings: at.length, cameras: new Set(at.map(({ cam }) => cam)).size, days: new Set(seen.map((ms) => Math.floor(ms / 86_400_000))).size,
      first: iso(Math.min(...seen)), last: iso(Math.max(...seen)), medianGapS: offsets[offsets.length >> 1]! / 1_000, expected, score,
    }
  })
}

import { Type } from '@sinclair/typebox'
import { AlprError } from '../../errors.js'
import { DAY_MS, HOUR_MS, WEEK_MS } from '../../model/time.js'
import { both, filterOf, FilterFields, requireArea, type Filter } from '../filter.js'
import { conditionOf } from '../planner.js'
import { inputOf, pageOf, question, type Ask } from '../question.js'
import { iso } from '../sighting.js'
import { and, or, sql, tableOf, time, value, type Sql } from '../../store/sql.js'
import { neverSeen, withNotes } from '../never_seen.js'

export interface TimelineItem {
  camera: string
  /** Beginning of the step, RFC 3339. */
  time: string
  reads: number
  /** Means over the reads of the step: confidence, sharpness, contrast and glare 0..1, plate height in pixels. */
  confidence: number
  heightPx: number
  sharpness: number
  contrast: number
  glare: number
}

interface Row {
  cam: string
  at: string
  n: number
  sums: number[]
}

const STEPS = { '1m': 60, '5m': 300, '15m': 900, '1h': 3_600, '1d': 86_400 } as const

/**
 * Reads per camera and minute (or hour, or day), by the time of their first frame, with the means of their quality: the
 * density strip of a canvass, and whether a camera gets worse over months. Sealed weeks are answered from their rollup
 * when the question selects by cameras and hours only.
 */
export const timeline = question({
  kind: 'timeline',
  summary: 'Reads per camera and step of time, with the mean quality of the plates',
  schema: inputOf({
    ...FilterFields,
    step: Type.Union(
      Object.keys(STEPS).map((step) => Type.Literal(step as keyof typeof STEPS)),
      { default: '1m' },
    ),
  }),
  prepare(input) {
    const filter = filterOf(input)
    const seconds = STEPS[input.step as keyof typeof STEPS]
    if (seconds < 3_600) requireArea(filter, 31)
    const steps = filter.windows.reduce((sum, { from, to }) => sum + (to - from) / 1_000 / seconds, 0)
    if (steps > 100_000)
      throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
        field: 'step',
        reason: `${Math.ceil(steps)} steps; at most 100,000: take a longer step or shorter windows`,
      })
    return { filter, seconds }
  },
  async answer(ask, { filter, seconds }, limit) {
    const sealed = await sealedSql(ask, filter, seconds)
    const condition = { ...(await conditionOf(ask, filter)), whole: true }
    const bucket = sql`intDiv(toUnixTimestamp(ts), ${value('UInt32', seconds)})`
    const inWindows = or(filter.windows.map(({ from, to }) => sql`(ts >= ${time(from)} AND ts < ${time(to)})`))
    const notSealed = and([inWindows, ...(sealed ? [sql`NOT ${sealed.weeks}`] : [])])
    const columns = sql`camera, ts, confidence, height_px, sharpness, contrast, glare`
    const fresh = sql`SELECT camera AS cam, ${bucket} AS slot, count() AS n, ${QUALITY_SUMS}
      FROM ${ask.reads(both(condition, { fixed: notSealed }), columns)} GROUP BY cam, slot`
    const source = sealed ? sql`${fresh} UNION ALL ${sealed.rollup}` : fresh
    const [slot, camera] = ask.after ?? []
    const rows = await ask.rows<Row>(
      sql`
      SELECT cam, toString(slot) AS at, toUInt32(sum(n)) AS n, [sum(s1), sum(s2), sum(s3), sum(s4), sum(s5)] AS sums
      FROM (${source})
      ${ask.after ? sql`WHERE (slot, cam) > (${value('Int64', slot)}, ${value('String', camera)})` : sql``}
      GROUP BY cam, slot ORDER BY slot, cam LIMIT ${value('UInt32', limit + 1)}`,
      'timeline',
    )
    const notes = await neverSeen(ask, filter)
    return {
      ...pageOf(rows, limit, (row) => [Number(row.at), row.cam]),
      items: rows.slice(0, limit).map(({ cam, at, n, sums }): TimelineItem => {
        const [confidence, heightPx, sharpness, contrast, glare] = sums.map(
          (sum) => Math.round((sum / n) * 1e4) / 1e4,
        ) as [number, number, number, number, number]
        return {
          camera: cam,
          time: iso(Number(at) * seconds * 1_000),
          reads: n,
          confidence,
          heightPx,
          sharpness,
          contrast,
          glare,
        }
      }),
      ...withNotes(notes),
    }
  },
  columns: [
    ['camera', (i) => i.camera],
    ['time', (i) => i.time],
    ['reads', (i) => i.reads],
    ['confidence', (i) => i.confidence],
    ['heightPx', (i) => i.heightPx],
    ['sharpness', (i) => i.sharpness],
    ['contrast', (i) => i.contrast],
    ['glare', (i) => i.glare],
  ],
  shape: () => undefined,
})

/** Summed as doubles, so that the order of summation does not change the result. */
const QUALITY_SUMS = sql`sum(toFloat64(confidence)) AS s1, sum(toFloat64(height_px)) AS s2,
  sum(toFloat64(sharpness)) AS s3, sum(toFloat64(contrast)) AS s4, sum(toFloat64(glare)) AS s5`
const ROLLUP_SUMS = sql`sum(confidence_sum) AS s1, sum(height_px_sum) AS s2,
  sum(sharpness_sum) AS s3, sum(contrast_sum) AS s4, sum(glare_sum) AS s5`

/**
 * The part of a question that the rollup answers: whole sealed weeks inside the windows, when the question selects by
 * cameras only and the steps are hours or days.
 */
async function sealedSql(ask: Ask, filter: Filter, seconds: number): Promise<{ rollup: Sql; weeks: Sql } | undefined> {
  const { areas, windows, daily, pattern, regions, direction, minConfidence } = filter
  if (
    seconds < 3_600 ||
    daily ||
    pattern ||
    regions ||
    direction ||
    minConfidence !== undefined ||
    areas.some((area) => area.kind !== 'cameras')
  )
    return undefined
  const weeks = [...(await ask.sealedWeeks())]
    .filter((week) => windows.some(({ from, to }) => from <= week && to >= week + WEEK_MS))
    .sort((a, b) => a - b)
  if (weeks.length === 0) return undefined
  ask.note('rollup', { sealedWeeks: weeks.length, hours: (weeks.length * WEEK_MS) / HOUR_MS })
  const cameras = areas.flatMap((area) => (area.kind === 'cameras' ? area.ids : []))
  const days = sql`(SELECT toDate(arrayJoin(${value(
    'Array(UInt32)',
    weeks.map((ms) => ms / DAY_MS),
  )})))`
  const ofCameras = cameras.length > 0 ? [sql`camera IN ${value('Array(String)', cameras)}`] : []
  return {
    weeks: sql`(toMonday(ts) IN ${days})`,
    rollup: sql`SELECT camera AS cam, intDiv(toUnixTimestamp(hour), ${value('UInt32', seconds)}) AS slot,
        sum(reads) AS n, ${ROLLUP_SUMS}
      FROM ${tableOf(ask.database, 'camera_hour')} WHERE ${and([sql`toMonday(hour) IN ${days}`, ...ofCameras])}
      GROUP BY cam, slot`,
  }
}

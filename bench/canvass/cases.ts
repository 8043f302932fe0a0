import { WEEK_MS } from '../../engine/mod.js'
import { DAY_MS } from '../../engine/runtime/mod.js'
import type { Question } from './questions.js'
import { METRO, type Year } from './year.js'

/** A kind of question, with its goals in milliseconds for 100 million reads; 0: no goal. */
export interface Case {
  name: string
  p50: number
  p95: number
  make: (random: () => number, year: Year, plates: readonly string[]) => Question
}

const iso = (ms: number): string => new Date(ms).toISOString()
const MINUTE = 60_000
/** A point of the metro area. */
const point = (random: () => number) => ({
  lat: METRO.south + 0.05 + random() * 0.3,
  lon: METRO.west + 0.05 + random() * 0.4,
})
/** The start of a time span of `length` ms within the year. */
const someTime = (random: () => number, year: Year, length: number) =>
  Math.floor(year.from + WEEK_MS + random() * (51 * WEEK_MS - length))
const plateOf = (random: () => number, plates: readonly string[]) => plates[Math.floor(random() * plates.length)]!
const ts = (ms: number) => `fromUnixTimestamp64Milli(${ms}, 'UTC')`
const span = (from: number, to: number) => `ts >= ${ts(from - DAY_MS)} AND ts < ${ts(to)} AND ts_last >= ${ts(from)}`

/** The grid cells of a box, as a list. */
function cells(south: number, west: number, north: number, east: number): string {
  const list: number[] = []
  for (let y = Math.floor((south + 90) * 182); y <= Math.floor((north + 90) * 182); y++)
    for (let x = Math.floor((west + 180) * 182); x <= Math.floor((east + 180) * 182); x++) list.push(morton(x, y))
  return `cell IN (${list.join(',')})`
}
function morton(x: number, y: number): number {
  let out = 0n
  for (let bit = 0n; bit < 16n; bit++)
    out |= (((BigInt(x) >> bit) & 1n) << (2n * bit)) | (((BigInt(y) >> bit) & 1n) << (2n * bit + 1n))
  return Number(out)
}

const VEHICLES = `plate, argMax(region, confidence), count() AS n, min(ts) AS b, max(ts_last),
  arraySort(groupUniqArray(8)(camera)),
  argMax((read_id, confidence, camera, ts, lat, lon, crop_segment, crop_offset, crop_length), (confidence, read_id))`
/** The vehicles of the reads that meet a condition, in the order of their first read. */
const vehicles = (where: string) =>
  `SELECT ${VEHICLES} FROM bench.reads FINAL WHERE ${where} GROUP BY plate ORDER BY b, plate LIMIT 101`
/** The condition of a `vehicles` statement. */
const conditionOf = (sql: string): string => /WHERE (.*) GROUP BY/s.exec(sql)![1]!

/** A circle of 500 m around a random point. @param more further fields of the question @param where their SQL */
function circle(
  random: () => number,
  from: number,
  to: number,
  more: Record<string, unknown> = {},
  where = '',
): Question {
  const at = point(random)
  const r = 500 / 111_195
  const wide = r / Math.cos((at.lat * Math.PI) / 180)
  const distance = `greatCircleDistance(toFloat64(lon), toFloat64(lat), ${at.lon}, ${at.lat})`
  const box = cells(at.lat - r, at.lon - wide, at.lat + r, at.lon + wide)
  return {
    kind: 'canvass',
    body: { places: [{ circle: { ...at, radiusM: 500 } }], windows: [{ from: iso(from), to: iso(to) }], ...more },
    sql: vehicles(`${box} AND ${span(from, to)} AND ${distance} <= 500${where}`),
  }
}

export const CASES: readonly Case[] = [
  {
    name: 'circle 500 m, 40 min',
    p50: 25,
    p95: 60,
    make: (random, year) => {
      const from = someTime(random, year, DAY_MS)
      return circle(random, from, from + 40 * MINUTE)
    },
  },
  {
    name: 'the same with a pattern',
    p50: 25,
    p95: 60,
    make: (random, year) => {
      const from = someTime(random, year, DAY_MS)
      return circle(random, from, from + 40 * MINUTE, { pattern: '7?B*' }, " AND match(plate, '^[17TZ2L].[8B].*$')")
    },
  },
  {
    name: 'circle 500 m, a year',
    p50: 150,
    p95: 400,
    make: (random, year) => circle(random, year.from, year.from + 364 * DAY_MS),
  },
  {
    name: 'circle 500 m, a year, pattern',
    p50: 150,
    p95: 400,
    make: (random, year) =>
      circle(
        random,
        year.from,
        year.from + 364 * DAY_MS,
        { pattern: '7?B*4' },
        " AND match(plate, '^[17TZ2L].[8B].*[4AL]$')",
      ),
  },
  {
    name: 'whole metro, 40 min',
    p50: 120,
    p95: 300,
    make: (random, year) => {
      const from = someTime(random, year, DAY_MS)
      return {
        kind: 'canvass',
        body: { windows: [{ from: iso(from), to: iso(from + 40 * MINUTE) }] },
        sql: vehicles(span(from, from + 40 * MINUTE)),
      }
    },
  },
  {
    name: 'polygon, 3 days',
    p50: 40,
    p95: 100,
    make: (random, year) => {
      const from = someTime(random, year, 4 * DAY_MS)
      const { lat, lon } = point(random)
      const ring = Array.from(
        { length: 12 },
        (_, i) => [lon + 0.012 * Math.cos((i * Math.PI) / 6), lat + 0.009 * Math.sin((i * Math.PI) / 6)] as const,
      )
      const box = cells(lat - 0.009, lon - 0.012, lat + 0.009, lon + 0.012)
      const corners = ring.map(([x, y]) => `(${x}, ${y})`).join(',')
      const inside = `pointInPolygon((toFloat64(lon), toFloat64(lat)), [${corners}])`
      return {
        kind: 'canvass',
        body: { places: [{ polygon: ring }], windows: [{ from: iso(from), to: iso(from + 3 * DAY_MS) }] },
        sql: vehicles(`${box} AND ${span(from, from + 3 * DAY_MS)} AND ${inside}`),
      }
    },
  },
  {
    name: 'three scenes of 1 h',
    p50: 50,
    p95: 120,
    make: (random, year) => {
      const scenes = Array.from({ length: 3 }, () => {
        const from = someTime(random, year, DAY_MS)
        return { ...circle(random, from, from + 60 * MINUTE) }
      })
      const byScene = scenes.map(
        ({ sql }, i) => `SELECT ${i} AS s, translate(plate, 'OQDILTBSZGAYN', '00011185264VM') AS v, count() AS n
          FROM bench.reads FINAL WHERE ${conditionOf(sql)} GROUP BY v`,
      )
      return {
        kind: 'scenes',
        body: { scenes: scenes.map(({ body }) => body), atLeast: 2 },
        sql: `SELECT v, uniqExact(s) AS k, sum(n) FROM (${byScene.join(' UNION ALL ')})
          GROUP BY v HAVING k >= 2 ORDER BY k DESC LIMIT 101`,
      }
    },
  },
  {
    name: 'history of a plate, a year',
    p50: 25,
    p95: 60,
    make: (random, year, plates) => {
      const plate = plateOf(random, plates)
      return {
        kind: 'history',
        body: { plate, windows: [{ from: iso(year.from), to: iso(year.from + 370 * DAY_MS) }] },
        sql: `SELECT *, ts_last FROM bench.reads_by_plate FINAL WHERE plate = '${plate}' AND NOT gone
          ORDER BY ts DESC, read_id DESC LIMIT 101`,
      }
    },
  },
  {
    name: 'convoy of ~60 sightings',
    p50: 300,
    p95: 800,
    make: (random, year, plates) => {
      const plate = plateOf(random, plates)
      return {
        kind: 'convoy',
        body: {
          plate,
          windows: [{ from: iso(year.from), to: iso(year.from + 370 * DAY_MS) }],
          gapS: 30,
          minMeetings: 2,
        },
        sql: `WITH s AS (
            SELECT camera, ts FROM bench.reads_by_plate WHERE plate = '${plate}' ORDER BY ts DESC LIMIT 500
          )
          SELECT r.plate, uniqExact(s.ts) AS n
          FROM bench.reads AS r FINAL INNER JOIN s ON r.camera = s.camera
          WHERE r.cell IN (SELECT cell FROM bench.reads_by_plate WHERE plate = '${plate}')
            AND toStartOfDay(r.ts) IN (SELECT toStartOfDay(ts) FROM s)
            AND abs(dateDiff('millisecond', r.ts, s.ts)) <= 30000 AND r.plate != '${plate}'
          GROUP BY r.plate HAVING n >= 2 ORDER BY n DESC LIMIT 101`,
      }
    },
  },
  {
    name: 'timeline, 24 h by minute, circle',
    p50: 0,
    p95: 0,
    make: (random, year) => {
      const from = someTime(random, year, 2 * DAY_MS)
      const one = circle(random, from, from + DAY_MS)
      return {
        kind: 'timeline',
        body: { ...one.body },
        sql: `SELECT camera, toStartOfMinute(ts) AS m, count(),
            avg(confidence), avg(height_px), avg(sharpness), avg(contrast), avg(glare)
          FROM bench.reads FINAL WHERE ${conditionOf(one.sql)} GROUP BY camera, m ORDER BY m, camera LIMIT 101`,
      }
    },
  },
]

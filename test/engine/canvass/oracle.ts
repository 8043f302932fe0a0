import { readFileSync } from 'node:fs'
import type { StoredRead } from '../../../engine/store/tables.js'
import type { ConfusionData } from '../../../wasm/mod.js'
import { twinAlike } from '../../wasm/twin/plate_pattern.js'

/** The questions in plain TypeScript over plain rows: slow, and independent of the code under test. */
export interface OracleArea {
  circle?: { lat: number; lon: number; radiusM: number }
  polygon?: [number, number][]
  cameras?: string[]
}
export interface OracleFilter {
  places?: OracleArea[]
  windows: { from: string; to: string }[]
  daily?: { from: string; to: string; zone?: string }
  pattern?: string
  lookAlikes?: boolean
  regions?: string[]
  direction?: string
  minConfidence?: number
}

const DAY = 86_400_000

/** The highest version of each read. */
export function finalRows(rows: readonly StoredRead[]): StoredRead[] {
  const best = new Map<string, StoredRead>()
  for (const row of rows) if (row.version >= (best.get(row.readId)?.version ?? 0)) best.set(row.readId, row)
  return [...best.values()]
}

export const matching = (rows: readonly StoredRead[], filter: OracleFilter): StoredRead[] =>
  rows.filter((row) => isIn(row, filter))

function isIn(row: StoredRead, filter: OracleFilter): boolean {
  const { places = [], windows, daily, pattern, lookAlikes = true, regions, direction, minConfidence } = filter
  const there = windows.some(
    ({ from, to }) => row.ts < Date.parse(to) && row.tsLast >= Date.parse(from) && row.ts >= Date.parse(from) - DAY,
  )
  return (
    there &&
    (!daily || inDaily(row, daily)) &&
    (places.length === 0 || places.some((area) => inArea(row, area))) &&
    (pattern === undefined || (matchesPattern(row.plate, pattern, lookAlikes) && inRegions(row.region, pattern))) &&
    (!regions || regions.includes(row.region)) &&
    (direction === undefined || row.direction === direction) &&
    (minConfidence === undefined || row.confidence >= minConfidence)
  )
}

function inDaily(row: StoredRead, { from, to, zone = 'UTC' }: { from: string; to: string; zone?: string }): boolean {
  const start = msOf(from)
  const length = (msOf(to) - start + DAY) % DAY
  const clock = clockOf(row.ts, zone)
  const since = (clock - start + DAY) % DAY
  if (since < length) return true
  return (start - clock + DAY) % DAY <= row.tsLast - row.ts
}

const msOf = (text: string): number => (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * 60_000
function clockOf(ms: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(ms)
  const of = (type: string) => Number(parts.find((part) => part.type === type)!.value)
  return of('hour') * 3_600_000 + of('minute') * 60_000 + of('second') * 1_000 + (((ms % 1_000) + 1_000) % 1_000)
}

function inArea(row: { lat: number; lon: number; camera: string }, { circle, polygon, cameras }: OracleArea): boolean {
  if (circle) return metres(row, circle) <= circle.radiusM + 1e-6
  if (cameras) return cameras.includes(row.camera)
  return [-360, 0, 360].some((turn) => inPolygon(row.lon + turn, row.lat, unwrapped(polygon!)))
}

export function metres(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const r = Math.PI / 180
  const h =
    Math.sin(((b.lat - a.lat) * r) / 2) ** 2 +
    Math.cos(a.lat * r) * Math.cos(b.lat * r) * Math.sin(((b.lon - a.lon) * r) / 2) ** 2
  return 2 * 6_371_008.8 * Math.asin(Math.min(1, Math.sqrt(h)))
}

function unwrapped(polygon: [number, number][]): [number, number][] {
  let turn = 0
  return polygon.map(([x, y], i) => {
    const before = polygon[i - 1]?.[0] ?? x
    if (x - before > 180) turn -= 360
    if (x - before < -180) turn += 360
    return [x + turn, y]
  })
}

/** Southern and western edges belong to the polygon: a point on an edge counts as lying slightly to the north-east. */
function inPolygon(x: number, y: number, corners: [number, number][]): boolean {
  const px = x + 1e-10
  const py = y + 1e-10
  let crossings = 0
  corners.forEach(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % corners.length]!
    if (ay > py === by > py) return
    if (px < ax + ((py - ay) / (by - ay)) * (bx - ax)) crossings++
  })
  return crossings % 2 === 1
}

/** Look-alikes that make two texts one vehicle across scenes: disjoint groups. */
const GROUPS = ['0OQD', '1ILT', '8B', '5S', '2Z', '6G', '4A', 'VY', 'MN']
/** Look-alikes of a pattern: the matcher's confusions from its data file. */
const alike = twinAlike(JSON.parse(readFileSync('wasm/models/confusions.json', 'utf8')) as ConfusionData)

/** Matches a pattern by trying every alignment with at most the allowed errors. */
export function matchesPattern(plate: string, source: string, lookAlikes: boolean): boolean {
  const [body = '', tail = ''] = source.split('@')[0]!.split('~')
  const edits = Number(tail || 0)
  const fragments = body.split('&').map(tokens)
  const orders =
    fragments.length === 1
      ? [fragments[0]!]
      : permute(fragments).map((order) => ['*', ...order.flatMap((one) => [...one, '*'])])
  return orders.some((order) => tries(plate, order, edits, lookAlikes))
}

function inRegions(region: string, source: string): boolean {
  const [, list] = source.split('@')
  return list === undefined || list.split(',').includes(region)
}

function tokens(fragment: string): string[] {
  return fragment.match(/\[[^\]]*\]|./g) ?? []
}

function tries(plate: string, pattern: readonly string[], edits: number, lookAlikes: boolean): boolean {
  const [head, ...rest] = pattern
  if (head === '*') {
    for (let skip = 0; skip <= plate.length; skip++) if (tries(plate.slice(skip), rest, edits, lookAlikes)) return true
    return false
  }
  if (head === undefined) return plate.length <= edits
  if (plate.length > 0 && takes(head, plate[0]!, lookAlikes) && tries(plate.slice(1), rest, edits, lookAlikes))
    return true
  if (edits === 0) return false
  return (
    tries(plate, rest, edits - 1, lookAlikes) ||
    (plate.length > 0 &&
      (tries(plate.slice(1), rest, edits - 1, lookAlikes) || tries(plate.slice(1), pattern, edits - 1, lookAlikes)))
  )
}

function takes(token: string, char: string, lookAlikes: boolean): boolean {
  if (token === '?') return true
  const wanted = token.startsWith('[')
    ? token
        .slice(1, -1)
        .replace(/(.)-(.)/g, (_, a: string, b: string) =>
          Array.from({ length: b.charCodeAt(0) - a.charCodeAt(0) + 1 }, (__, i) =>
            String.fromCharCode(a.charCodeAt(0) + i),
          ).join(''),
        )
    : token
  return [...wanted].some((one) => one === char || (lookAlikes && alike(char, one)))
}

function permute<T>(list: T[]): T[][] {
  return list.length <= 1
    ? [list]
    : list.flatMap((one, i) => permute([...list.slice(0, i), ...list.slice(i + 1)]).map((rest) => [one, ...rest]))
}

export const groupBy = <T>(rows: readonly T[], key: (row: T) => string): Map<string, T[]> => {
  const out = new Map<string, T[]>()
  for (const row of rows) out.set(key(row), [...(out.get(key(row)) ?? []), row])
  return out
}

export const canonical = (plate: string): string =>
  [...plate].map((char) => GROUPS.find((group) => group.includes(char))?.[0] ?? char).join('')

import type { StoredRead } from '../../../engine/store/tables.js'
import { aRead } from '../store/rows.js'

/**
 * Deterministic reads of a small town: fixed cameras on a grid, a mobile one that crosses the antimeridian, and few
 * plates, so that vehicles meet often.
 */
export const START = Date.UTC(2026, 9, 30)
export const HOUR = 3_600_000
export const CAMERAS = Array.from({ length: 8 }, (_, i) => ({
  id: `cam-${i}`,
  lat: 37.7 + Math.floor(i / 4) * 0.006,
  lon: -122.42 + (i % 4) * 0.006,
}))
const PLATES = [
  '7ABC123',
  '7A8C123',
  '7ABC12',
  '8BBB888',
  '0OQD000',
  '5S5S5S',
  'XYZ9',
  '4AA44',
  '7BX4',
  'M1',
  'HOV123',
  '7QB2',
]

export function random(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
}

/**
 * Reads over ten days, with two changes of week and the end of daylight saving in California. Some are stored twice,
 * the second time in a better version.
 */
export function cityRows(count: number, seed = 7): StoredRead[] {
  const next = random(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!
  const rows: StoredRead[] = []
  for (let i = 0; i < count; i++) {
    const camera = pick(CAMERAS)
    const mobile = next() < 0.2
    const ts =
      START +
      Math.floor(next() * 240) * HOUR +
      Math.floor(next() * 20) * 30_000 +
      (next() < 0.3 ? 0 : Math.floor(next() * 1_000))
    const lon = mobile ? 179.99 + Math.floor(next() * 8) * 0.005 : camera.lon
    const row = aRead({
      readId: String(1_000 + i),
      version: 2,
      plate: pick(PLATES),
      confidence: (50 + Math.floor(next() * 50)) / 100,
      region: pick(['CA', 'NV', '']),
      camera: mobile ? 'car-1' : camera.id,
      ts,
      tsLast: ts + (next() < 0.05 ? Math.floor(next() * 20 * HOUR) : Math.floor(next() * 5_000)),
      lat: micro(mobile ? 10 + Math.floor(next() * 8) * 0.005 : camera.lat),
      lon: micro(lon > 180 ? lon - 360 : lon),
      direction: pick(['approaching', 'leaving', 'still', 'unknown']),
      ...(next() < 0.5 ? { heading: 90 } : {}),
      alternates: [],
      quality: {
        heightPx: 20 + Math.floor(next() * 40),
        sharpness: 0.5,
        contrast: Math.floor(next() * 4) / 4,
        glare: 0.12,
      },
    })
    // An earlier version, shorter and with another text.
    if (next() < 0.15) rows.push({ ...row, version: 1, plate: pick(PLATES), tsLast: row.ts })
    rows.push(row)
  }
  return rows
}

/** Rounded to the digits of a stored position. */
const micro = (degrees: number) => Math.round(degrees * 1e6) / 1e6
export const iso = (ms: number): string => new Date(ms).toISOString()

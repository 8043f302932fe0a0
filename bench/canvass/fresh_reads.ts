import type { StoredRead } from '../../engine/internal_mod.js'
import { WEEK_MS } from '../../engine/mod.js'
import { METRO, type Year } from './year.js'

/** The reads of one second of the present, which follows the generated year. */
export function freshReads(year: Year, second: number, count: number): StoredRead[] {
  const start = year.from + year.weeks * WEEK_MS + second * 1_000
  return Array.from({ length: count }, (_, i) => {
    const seed = second * count + i
    const ts = start + Math.floor((i * 1_000) / count)
    return {
      readId: String(2n ** 60n + BigInt(Date.now()) * 100_000n + BigInt(seed)),
      version: 4,
      plate: `${seed % 10}FRE${String((seed * 7) % 1_000).padStart(3, '0')}`,
      confidence: 0.9,
      alternates: [],
      region: 'CA',
      camera: `cam-${seed % year.cameras}`,
      ts,
      tsLast: ts + 700,
      lat: METRO.south + ((seed * 7_919) % 1_000) / 2_500,
      lon: METRO.west + ((seed * 104_729) % 1_000) / 2_000,
      direction: 'approaching',
      frames: 4,
      quality: { heightPx: 30, sharpness: 0.5, contrast: 0.5, glare: 0.1 },
      module: '0123456789abcdef',
      model: 'fedcba9876543210',
      lists: '',
      feed: '',
    }
  })
}

import type { Hit } from '../../engine/mod.js'

/** A hit as engines make it; its intended publish time comes first, where clients find it without parsing. */
export function hitOf(n: number, intended: number): string {
  const at = new Date(intended).toISOString()
  const hit: Hit = {
    publishedAt: at,
    hitId: `${n}.bench.7ABC123`,
    revision: 1,
    state: 'possible',
    readId: String(n),
    plate: '7ABC123',
    confidence: 0.93,
    alternates: ['7A8C123', '7ABC128', '1ABC123', '7ABG123', '7ABC1Z3'].map((plate, i) => ({
      plate,
      confidence: 0.03 / (i + 1),
    })),
    region: 'US-CA',
    listedPlate: '7A8C123',
    list: 'bench',
    listName: 'Bench',
    listVersion: '0123456789abcdef',
    listLoadedAt: at,
    reason: 'stolen vehicle',
    priority: 'high',
    exact: false,
    probability: 0.71,
    tolerated: [{ position: 2, read: 'B', listed: '8', probability: 0.74 }],
    camera: 'cam-1',
    cameraName: 'Main Street northbound at 5th',
    lat: 38.752,
    lon: -121.288,
    heading: 0,
    direction: 'approaching',
    ts: at,
    tsLast: at,
    crop: { segment: '2026-11-23/engine-a.0', offset: 12_345_678 + n, length: 9_000 },
    picture: { segment: '2026-11-23/engine-a.0', offset: 12_354_678 + n, length: 60_000 },
    module: '9a8504b9154e9d54',
    model: '96079e212c7bd23f',
  }
  return JSON.stringify(hit)
}

/** Bytes of a hit. */
export const hitBytes = hitOf(1, 0).length

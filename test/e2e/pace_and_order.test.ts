import { headers } from 'nats'
import t from 'tap'
import { saveHotList } from '../../engine/mod.js'
import { startTestSystem } from '../servers/system.js'
import { until } from '../until.js'
import { MAIN_ST } from '../engine/passes/plates.js'

const START = Date.now() - 7_200_000
const UNIT = { id: 'unit-7', name: 'Unit 7', kind: 'mobile', agency: 'test' } as const
/** The plate in one place of the picture. */
const QUAD = [
  [100, 100],
  [190, 100],
  [190, 145],
  [100, 145],
]

t.setTimeout(120_000)

t.test('cameras that are slow, late, repeat themselves or move have one read and one hit for each stay', async (t) => {
  const system = await startTestSystem(t, {
    cameras: [{ ...MAIN_ST, id: 'slow' }, { ...MAIN_ST, id: 'late' }, UNIT],
    engine: false,
    env: { PLATESTREAM_ENGINE_WORKERS: '1' },
  })
  const js = system.connection.jetstream()
  await saveHotList(
    js,
    {
      id: 'stolen',
      name: 'Stolen',
      kind: 'hot',
      priority: 'high',
      source: 'test',
      tolerance: 'exact',
      threshold: 0.5,
    },
    ['7SLW001', '7LTE001', '7MOV001'].map((plate) => ({ plate, reason: 'stolen vehicle' })),
  )
  await system.startEngine()
  let sent = 0
  const send = async (camera: string, plate: string, ms: number, more: object = {}) => {
    const header = headers()
    header.set('Nats-Msg-Id', `message-${++sent}`)
    const capturedAt = new Date(START + ms).toISOString()
    await js.publish(
      `detections.${camera}`,
      JSON.stringify({ capturedAt, plate, confidence: 0.95, quad: QUAD, ...more }),
      { headers: header },
    )
  }
  // A car parked for ten minutes before a camera with a frame every 10 s.
  for (let n = 0; n < 60; n++) await send('slow', '7SLW001', n * 10_000)
  // A fresh car; then one that comes 9 s late, and most of it once more, under new ids.
  await send('late', '8NEW111', 9_000)
  for (const frames of [12, 8]) for (let n = 0; n < frames; n++) await send('late', '7LTE001', n * 200)
  // A car that is followed for a kilometre.
  for (let n = 0; n < 100; n++)
    await send('unit-7', '7MOV001', n * 500, { position: { lat: 38.75 + n * 0.00009, lon: -121.28 } })
  for (const camera of ['slow', 'late']) await send(camera, '9END999', 3_600_000)
  await send('unit-7', '9END999', 3_600_000, { position: { lat: 38.75, lon: -121.28 } })

  const reads = () =>
    system.rows<{ camera: string; plate: string; frames: number; direction: string; lat: number }>(
      `SELECT camera, plate, frames, direction, lat FROM platestream.reads FINAL
       WHERE plate != '9END999' ORDER BY camera, ts`,
    )
  // Not counted: the eight messages that came again.
  await system.untilStored(sent - 8, 60_000)
  await until(async () => (await system.rows("SELECT 1 FROM platestream.reads WHERE plate = '9END999'")).length >= 3)
  t.match(
    (await reads()).map(({ camera, plate, frames, direction }) => [camera, plate, frames, direction]),
    [
      ['late', '7LTE001', 12, 'unknown'],
      ['late', '8NEW111', 1, 'unknown'],
      ['slow', '7SLW001', 60, 'still'],
      ...[20, 20, 20, 20, 20].map((frames) => ['unit-7', '7MOV001', frames, 'unknown']),
    ],
  )
  const hits = await system.hits()
  const hitsOf = (plate: string) => hits.filter(({ listedPlate }) => listedPlate === plate)
  for (const plate of ['7SLW001', '7LTE001', '7MOV001'])
    t.equal(new Set(hitsOf(plate).map(({ hitId }) => hitId)).size, 1, `one hit of ${plate}`)
  const places = [...new Set(hitsOf('7MOV001').map(({ lat }) => lat))]
  t.equal(places.length, 5, 'its revisions follow the car')
  t.match(
    await system.rows(`SELECT round(lat, 4) AS place FROM platestream.hits FINAL WHERE listed_plate = '7MOV001'`),
    [{ place: Math.round(Math.max(...places) * 1e4) / 1e4 }],
    'the store has the last one',
  )
  t.match(
    await system.rows(
      `SELECT camera, toUInt32(sum(with_reads)) AS n FROM platestream.ledger FINAL GROUP BY camera ORDER BY camera`,
    ),
    [
      { camera: 'late', n: 14 },
      { camera: 'slow', n: 61 },
      { camera: 'unit-7', n: 101 },
    ],
    'messages that came again are not counted',
  )
})

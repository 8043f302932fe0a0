import { nanos } from 'nats'
import sharp from 'sharp'
import t from 'tap'
import { partitionOfCamera } from '../../engine/internal_mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { startTestSystem } from '../servers/system.js'
import { until } from '../until.js'
import { MAIN_ST } from '../engine/passes/plates.js'

/** The stream of camera main-st with two partitions. */
const FRAMES = `FRAMES-2-${partitionOfCamera('main-st', 2)}`
const T0 = Date.UTC(2026, 0, 5, 12)

t.test('a frame that is on the stream twice with one id counts once, also across a restart', async (t) => {
  const system = await startTestSystem(t, { cameras: [MAIN_ST] })
  // A cluster server that dies between storing and acknowledging a frame stores it twice. A duplicate window shorter
  // than the time between two frames has the same effect.
  const manager = await system.connection.jetstreamManager()
  const { config } = await manager.streams.info(FRAMES)
  await manager.streams.update(FRAMES, { ...config, duplicate_window: nanos(100) })
  const jpeg = await sharp({ create: { width: 320, height: 180, channels: 3, background: '#777777' } })
    .jpeg()
    .toBuffer()
  const send = async (id: string | undefined, ms: number) => {
    await sleep(300) // longer than the duplicate window
    await system.publish({ camera: 'main-st', capturedAt: T0 + ms, jpeg, ...(id !== undefined && { id }) })
  }
  const end = async () => (await manager.streams.info(FRAMES)).state.last_seq
  for (const [id, ms] of [
    ['a', 0],
    ['b', 100],
    ['a', 0],
    [undefined, 200],
    [undefined, 300],
  ] as const)
    await send(id, ms)
  await system.untilStored(4)
  await system.stopEngine()
  await system.startEngine()
  for (const [id, ms] of [
    ['b', 100],
    ['c', 400],
  ] as const)
    await send(id, ms)
  t.equal(await end(), 7, 'the stream has all of them')
  // Frames of a camera are applied in order: when this frame of the next hour is stored, all others are.
  await send('d', 3_600_000)
  await until(async () => {
    const [row] = await system.rows<{ n: string }>(
      `SELECT sum(frames_in) AS n FROM platestream.ledger FINAL WHERE hour > toDateTime(${T0 / 1_000})`,
    )
    return row?.n === '1'
  }, 60_000)
  t.match(
    await system.rows(
      'SELECT sum(frames_in) AS f, sum(without_plate) AS w, sum(dead) AS d FROM platestream.ledger FINAL',
    ),
    [{ f: '6', w: '6', d: '0' }],
  )
})

import { nanos } from 'nats'
import sharp from 'sharp'
import t from 'tap'
import { STREAM } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { startTestSystem } from '../servers/system.js'
import { MAIN_ST } from '../engine/passes/plates.js'

const T0 = Date.UTC(2026, 0, 5, 12)

t.test('a frame that stands on the stream twice under one id counts once, also over a restart', async (t) => {
  const system = await startTestSystem(t, { cameras: [MAIN_ST] })
  // What a server of a cluster does that dies between taking a frame and acknowledging it, brought about by one that
  // forgets ids at once.
  const manager = await system.connection.jetstreamManager()
  const { config } = await manager.streams.info(STREAM.frames)
  await manager.streams.update(STREAM.frames, { ...config, duplicate_window: nanos(100) })
  const jpeg = await sharp({ create: { width: 320, height: 180, channels: 3, background: '#777777' } })
    .jpeg()
    .toBuffer()
  const send = async (id: string | undefined, ms: number) => {
    await sleep(300)
    await system.publish({ camera: 'main-st', capturedAt: T0 + ms, jpeg, ...(id !== undefined && { id }) })
  }
  const end = async () => (await manager.streams.info(STREAM.frames)).state.last_seq
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
  t.equal(await end(), 7, 'the stream took all of them')
  await system.untilStored(5)
  await sleep(1_500)
  t.match(
    await system.rows(
      'SELECT sum(frames_in) AS f, sum(without_plate) AS w, sum(dead) AS d FROM platestream.ledger FINAL',
    ),
    [{ f: '5', w: '5', d: '0' }],
  )
})

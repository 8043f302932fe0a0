import { headers, nanos } from 'nats'
import t from 'tap'
import { natsReason } from '../../../engine/nats/errors.js'
import { LEASE_MS, setupNats } from '../../../engine/nats/setup.js'
import { BUCKET, ENTRANCE, OBJECTS, STREAM, streamOf } from '../../../engine/nats/topology.js'
import { startTestNats } from '../../servers/nats.js'

const FRAMES = streamOf({ entrance: ENTRANCE.frames, count: 1, index: 0 })

t.test('the setup creates the whole topology, may run twice, and applies changes', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  await setupNats(connection, { framesMaxBytes: 16_777_216 })
  await setupNats(connection, { framesMaxBytes: 134_217_728 })
  const manager = await connection.jetstreamManager()
  t.equal((await manager.streams.info(FRAMES)).config.max_bytes, 134_217_728)
  await setupNats(connection, { framesMaxBytes: 33_554_432 })
  t.equal((await manager.streams.info(FRAMES)).config.max_bytes, 134_217_728, 'a setup lowers no bound')
  t.equal((await manager.streams.info(`KV_${BUCKET.leases}`)).config.max_age, nanos(LEASE_MS))
  t.ok(LEASE_MS < 10_000, 'a dead engine is replaced within 10 s')
  for (const bucket of Object.values(BUCKET)) t.ok(await manager.streams.info(`KV_${bucket}`))
  t.ok(await manager.streams.info(`OBJ_${OBJECTS.hotlistFiles}`))
})

t.test('a full FRAMES stream refuses the publisher and keeps what it accepted', async (t) => {
  const nats = await startTestNats(t, { partitions: 1, framesMaxBytes: 1_000_000 })
  const connection = await nats.connect()
  const js = connection.jetstream()
  let accepted = 0
  let refusal = ''
  while (refusal === '') {
    await js.publish('frames.a', new Uint8Array(100_000)).then(
      () => accepted++,
      (error) => {
        refusal = natsReason(error)
      },
    )
  }
  t.equal(refusal, 'maximum bytes exceeded')
  t.equal((await (await connection.jetstreamManager()).streams.info(FRAMES)).state.messages, accepted)
  t.ok(accepted >= 8)
})

t.test('a frame over the limit of the product arrives, and fits into DEAD with its reason', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const js = connection.jetstream()
  const frame = new Uint8Array(16_777_216 - 65_536 - 100)
  await js.publish('frames.a', frame)
  const why = headers()
  why.set('Dead-Message', 'x'.repeat(1_000))
  await js.publish('dead.a', frame, { headers: why })
  t.equal((await (await connection.jetstreamManager()).streams.info(STREAM.dead)).state.messages, 1)
})

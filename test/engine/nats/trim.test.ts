import { AckPolicy } from 'nats'
import t from 'tap'
import { partitionFilter, STREAM } from '../../../engine/nats/topology.js'
import { trimFrames } from '../../../engine/nats/trim.js'
import { startTestNats } from '../../servers/nats.js'

t.test('frames leave when every partition has acknowledged them, and not before', async (t) => {
  const nats = await startTestNats(t, { partitions: 2 })
  const connection = await nats.connect()
  const manager = await connection.jetstreamManager()
  const js = connection.jetstream()
  const names = ['p0', 'p1']
  for (let i = 0; i < 40; i++) await js.publish(`frames.cam-${i % 8}`, new Uint8Array([i]))
  const held = async () => (await manager.streams.info(STREAM.frames)).state.messages
  t.equal(await trimFrames(manager, names), 0, 'no consumer yet: nothing may be cut')

  for (const [i, durable_name] of names.entries()) {
    await manager.consumers.add(STREAM.frames, { durable_name, ack_policy: AckPolicy.All, filter_subject: partitionFilter(i, 2) })
  }
  t.equal(await trimFrames(manager, names), 0)
  t.equal(await held(), 40)

  const acknowledge = async (name: string) => {
    const batch = await (await js.consumers.get(STREAM.frames, name)).fetch({ max_messages: 100, expires: 1_000 })
    let last
    for await (const message of batch) last = message
    await last?.ackAck()
    return last?.seq ?? 0
  }
  await acknowledge('p0')
  t.equal(await trimFrames(manager, names), 0, 'the other partition still needs the first frame')
  await acknowledge('p1')
  t.equal(await trimFrames(manager, names), 41)
  t.equal(await held(), 0)

  await js.publish('frames.cam-1', new Uint8Array([1]))
  await trimFrames(manager, names)
  t.equal(await held(), 1, 'a new frame stays')
})

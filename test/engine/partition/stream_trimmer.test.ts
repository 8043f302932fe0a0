import t from 'tap'
import { BUCKET, ENTRANCE, framesSubject, STREAM } from '../../../engine/nats/topology.js'
import { CheckpointStore } from '../../../engine/partition/checkpoint_store.js'
import { NONE, nextAfter, PartitionConsumer } from '../../../engine/partition/partition_consumer.js'
import { StreamTrimmer } from '../../../engine/partition/stream_trimmer.js'
import { until } from '../../until.js'
import { startTestNats } from '../../servers/nats.js'

t.test('the stream is cut below what every partition is done with, once all have reported', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 2 })).connect()
  const js = connection.jetstream()
  const manager = await connection.jetstreamManager()
  const [passes, offsets] = [await js.views.kv(BUCKET.passes), await js.views.kv(BUCKET.offsets)]
  for (let i = 0; i < 10; i++) await js.publish(framesSubject(`cam-${i}`), new Uint8Array([i]))
  const firstSeq = async () => (await manager.streams.info(STREAM.frames)).state.first_seq
  const [a, b] = [
    new CheckpointStore(manager, passes, offsets, '0', { gapMs: 3_000 }),
    new CheckpointStore(manager, passes, offsets, '1', { gapMs: 3_000 }),
  ]
  const trimmer = new StreamTrimmer(manager, offsets, ENTRANCE.frames, 2)

  await a.saveOffset(8, 9)
  await trimmer.trim()
  t.equal(await firstSeq(), 1, 'nothing is known of partition 1')
  await b.saveOffset(7, 4)
  await trimmer.trim()
  t.equal(await firstSeq(), 4, 'partition 1 may still want frame 4 for a picture')
  await b.saveOffset(7, 8)
  await trimmer.trim()
  t.equal(await firstSeq(), 8)
})

t.test('a partition is idle only when the stream has nothing for it', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const js = connection.jetstream()
  for (let i = 0; i < 6; i++) await js.publish(framesSubject('main-st'), new Uint8Array([i]))
  const consumer = new PartitionConsumer(js, await connection.jetstreamManager(), ENTRANCE.frames, 0, 1, 0)
  t.equal(await consumer.idleUpTo(0), undefined, 'it has not asked yet')
  const stop = new AbortController()
  let last = 0
  let room = 3
  const running = consumer.run(
    async () => {
      await until(() => room > 0 || stop.signal.aborted)
      return Math.max(1, room)
    },
    (frame) => {
      last = frame.seq
      room -= 1
    },
    stop.signal,
  )
  await until(() => last === 3)
  t.equal(await consumer.idleUpTo(3), undefined, 'three wait on the stream')
  room = 3
  await until(() => last === 6)
  t.equal(await consumer.idleUpTo(5), undefined, 'the last one is not applied yet')
  t.equal(await consumer.idleUpTo(6), 6)
  stop.abort()
  await running
})

t.test("of a stream with copies the leader is asked as well: a consumer's copy may lag", async (t) => {
  const connection = await (await startTestNats(t, { partitions: 2 })).connect()
  const manager = await connection.jetstreamManager()
  const subjects: string[] = []
  for (let i = 0; i < 8; i++) await connection.jetstream().publish(framesSubject(`cam-${i}`), new Uint8Array([i]))
  for (let seq = 1; seq <= 8; seq++) subjects.push((await manager.streams.getMessage(STREAM.frames, { seq })).subject)
  const last = (partition: number) =>
    subjects.findLastIndex((subject) => subject.startsWith(`frames.${partition}.`)) + 1
  const { cluster } = await manager.streams.info(STREAM.frames)
  for (const partition of [0, 1]) {
    const behind = (seq: number, leader = cluster?.leader) =>
      nextAfter(manager, STREAM.frames, `frames.${partition}.>`, seq, leader)
    t.ok(last(partition) > 0, `partition ${partition} has frames`)
    t.equal(await behind(last(partition)), NONE)
    t.equal(await behind(last(partition) - 1), last(partition))
    t.equal(
      await behind(last(partition), 'another server'),
      undefined,
      'another server leads now: it may not know every message',
    )
  }
})

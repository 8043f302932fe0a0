import t from 'tap'
import { BUCKET, ENTRANCE, framesSubject, streamOf } from '../../../engine/nats/topology.js'
import { findStart } from '../../../engine/partition/find_start.js'
import { startTestNats } from '../../servers/nats.js'

t.setTimeout(60_000)

const PARTITION = { entrance: ENTRANCE.frames, count: 1, index: 0 }

t.test('messages of a camera behind that were removed unread are counted, those that were done are not', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const js = connection.jetstream()
  for (let n = 1; n <= 40; n++) await js.publish(framesSubject(n % 4 === 0 ? 'slow' : 'fast'), String(n))
  const manager = await connection.jetstreamManager()
  const stream = streamOf(PARTITION)
  const { created } = await manager.streams.info(stream)
  const bucket = await js.views.kv(BUCKET.partitions, { bindOnly: true })
  // 4 is done; 8, 12, 16, 20, 24, 28 and 32 wait.
  const behind = [{ camera: 'slow', done: 5, doneAt: 0, waiting: 7, bytes: 700 }]
  const position = { committed: 32, wanted: 6, stream: { created, epoch: 1 }, behind }
  const removed = async () => (await findStart(manager, bucket, PARTITION, position)).removedUnread
  t.equal(await removed(), 0)
  await manager.streams.purge(stream, { filter: 'frames.1.0.fast', seq: 33 })
  t.equal((await manager.streams.info(stream)).state.first_seq, 4)
  await manager.streams.purge(stream, { seq: 6 })
  t.equal(await removed(), 0, 'what was done may be gone')
  await manager.streams.purge(stream, { seq: 20 })
  t.equal(await removed(), 3)
  await manager.streams.purge(stream, { seq: 36 })
  t.equal(await removed(), 7 + 3, 'and later ones, which nobody has seen')
})

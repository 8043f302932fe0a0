import t from 'tap'
import type { StreamInfo } from 'nats'
import { framesSubject } from '../../../engine/mod.js'
import { fullText, StreamRooms } from '../../../gateway/status/stream_room.js'
import { startTestNats } from '../../servers/nats.js'
import { until } from '../../until.js'

t.test('a stream is full while its publishers are refused, and the time is kept', async (t) => {
  const nats = await startTestNats(t, { partitions: 1, framesMaxBytes: 40_000 })
  const connection = await nats.connect()
  const rooms = new StreamRooms()
  const ending = new AbortController()
  const following = rooms.task(connection, ending.signal)
  t.teardown(async () => {
    ending.abort()
    await following
  })
  await until(() => rooms.all().length > 0)
  t.match(
    rooms.all().map(({ stream }) => stream),
    ['DEAD', 'DETECTIONS-1-0', 'FRAMES-1-0'],
  )
  t.same(rooms.full(), [])
  const publish = () => connection.jetstream().publish(framesSubject('main-st'), new Uint8Array(4_000))
  await t.rejects(async () => {
    for (;;) await publish()
  })
  await until(() => rooms.full().length > 0)
  const [full] = rooms.full()
  t.match(full, { stream: 'FRAMES-1-0', fullSince: Number })
  t.ok(full!.share > 0.85 && full!.share <= 1, `${full!.share}`)
  t.match(fullText(full!), /^stream FRAMES-1-0 is full since 20.*: its publishers are refused$/)
  await (await connection.jetstreamManager()).streams.purge('FRAMES-1-0')
  await until(() => rooms.full().length === 0)
  await publish()
})

t.test('the time at which a stream became full stays; closed and unbounded streams are left out', async (t) => {
  const info = (name: string, bytes: number, config: object = {}) =>
    ({
      config: { name, discard: 'new', max_bytes: 1_000, subjects: ['frames.1.0.>'], ...config },
      state: { bytes, messages: 4 },
    }) as unknown as StreamInfo
  const rooms = new StreamRooms()
  rooms.update([info('A', 900), info('B', 500)], 1_000)
  rooms.update([info('A', 950), info('B', 900), info('C', 990, { subjects: ['closed.C'] })], 2_000)
  t.same(rooms.all(), [
    { stream: 'A', share: 0.95, fullSince: 1_000 },
    { stream: 'B', share: 0.9, fullSince: 2_000 },
  ])
  rooms.update([info('A', 500), info('D', 990, { discard: 'old' }), info('E', 990, { max_bytes: -1 })], 3_000)
  t.same(rooms.full(), [])
  rooms.update([info('DEAD', 940)], 4_000)
  t.same(rooms.full(), [])
  rooms.update([info('DEAD', 960)], 5_000)
  t.match(rooms.full().map(fullText), [/^stream DEAD is full since .*: the ledger counts what fails, and nothing/])
})

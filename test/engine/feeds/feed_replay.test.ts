import fc from 'fast-check'
import t from 'tap'
import { replay, shiftToNow, type ReplayOptions, type ReplayProgress } from '../../../engine/feeds/feed_replay.js'
import { cameraOf, ENTRANCE, streamOf } from '../../../engine/nats/topology.js'
import { sleep } from '../../../engine/runtime/backoff.js'
import { startTestNats } from '../../servers/nats.js'
import { until } from '../../until.js'
import { frame, makeFeed, START } from './small_feed.js'

const options = (files: string[], more: Partial<ReplayOptions> = {}): ReplayOptions => ({
  files,
  speed: Infinity,
  shiftTime: 'keep',
  ...more,
})

const FRAMES = streamOf({ entrance: ENTRANCE.frames, count: 1, index: 0 })

interface Stored {
  camera: string
  time: string
  position: string
  first: number
}
const stored = async (
  connection: Awaited<ReturnType<Awaited<ReturnType<typeof startTestNats>>['connect']>>,
): Promise<Stored[]> => {
  const manager = await connection.jetstreamManager()
  const { state } = await manager.streams.info(FRAMES)
  const all = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const m = await manager.streams.getMessage(FRAMES, { seq })
    all.push({
      camera: cameraOf(m.subject),
      time: m.header.get('Captured-At'),
      position: m.header.get('Position'),
      first: m.data[0]!,
    })
  }
  return all
}

t.test(
  'each frame arrives once with its headers and times, in camera order; a second replay adds nothing',
  async (t) => {
    const nats = await startTestNats(t, { partitions: 1 })
    const connection = await nats.connect()
    const file = await makeFeed(
      t,
      'a.mcap',
      Array.from({ length: 40 }, (_, i) => frame(i)),
    )
    t.match(await replay(connection, options([file], { register: true })), {
      published: 40,
      duplicates: 0,
      refused: 0,
      cameras: 2,
      registered: 1,
      shiftMs: 0,
    })
    const all = await stored(connection)
    for (const camera of ['cam-0', 'cam-1']) {
      const own = all.filter((m) => m.camera === camera)
      t.same(
        own.map((m) => m.first),
        Array.from({ length: 20 }, (_, i) => 2 * i + Number(camera.at(-1))),
      )
      t.same(
        own.map((m) => m.time),
        own.map((m) => new Date(START + m.first * 50).toISOString()),
      )
      t.ok(own.every((m) => m.position === (camera === 'cam-1' ? '1,2' : '')))
    }
    t.match(await replay(connection, options([file])), { published: 0, duplicates: 40 })
  },
)

t.test('loops continue in time; times shifted to now end now', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const file = await makeFeed(
    t,
    'b.mcap',
    Array.from({ length: 10 }, (_, i) => frame(i)),
  )
  await replay(connection, options([file], { loops: 3, shiftTime: 'now' }))
  const own = (await stored(connection)).filter((m) => m.camera === 'cam-0').map((m) => Date.parse(m.time))
  t.equal(own.length, 15)
  t.ok(
    own.every((time, i) => i === 0 || time > own[i - 1]!),
    'time never goes back',
  )
  t.ok(Math.abs(own.at(-1)! - Date.now()) < 5_000)
  t.ok(own.at(-1)! <= Date.now())
})

t.test('a replay at the original speed takes the event time of the feed', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const file = await makeFeed(
    t,
    'c.mcap',
    Array.from({ length: 21 }, (_, i) => frame(i)),
  )
  const summary = await replay(connection, options([file], { speed: 1 }))
  t.ok(summary.ms >= 990 && summary.ms < 2_000, `${summary.ms} ms for one second of feed`)
  const twice = await replay(connection, options([file], { speed: 2 }))
  t.ok(twice.ms >= 490 && twice.ms < summary.ms, `${twice.ms} ms at double speed`)
})

t.test('several files are played together, ordered by time', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const one = await makeFeed(
    t,
    'd1.mcap',
    [0, 3, 4].map((i) => ({ ...frame(i), camera: 'cam-0' })),
  )
  const two = await makeFeed(
    t,
    'd2.mcap',
    [1, 2, 5].map((i) => ({ ...frame(i), camera: 'cam-1' })),
  )
  await replay(connection, options([one, two], { speed: 1 }))
  t.same(
    (await stored(connection)).map((m) => m.first),
    [0, 1, 2, 3, 4, 5],
  )
})

t.test('a replay waits for a stream that is half full, skips nothing and keeps the order of each camera', async (t) => {
  const nats = await startTestNats(t, { partitions: 1, framesMaxBytes: 1_000_000 })
  const connection = await nats.connect()
  const file = await makeFeed(
    t,
    'e.mcap',
    Array.from({ length: 60 }, (_, i) => frame(i, 100_000)),
  )
  const reasons = new Set<string | undefined>()
  const running = replay(connection, options([file], { onWaiting: (reason) => reasons.add(reason) }))
  const manager = await connection.jetstreamManager()
  const taken: Stored[] = []
  let next = 1
  let most = 0
  while (taken.length < 60) {
    await sleep(100) // slower than the replay, so that the stream is full
    const { last_seq, bytes } = (await manager.streams.info(FRAMES)).state
    most = Math.max(most, bytes)
    for (; next <= last_seq; next++) {
      const m = await manager.streams.getMessage(FRAMES, { seq: next })
      taken.push({ camera: cameraOf(m.subject), time: '', position: '', first: m.data[0]! })
      await manager.streams.deleteMessage(FRAMES, next)
    }
  }
  t.match(await running, { published: 60, refused: 0 })
  t.ok(
    reasons.has(`stream ${FRAMES} is half full`) && reasons.has(undefined),
    'it reports that it waits and that it continues',
  )
  t.ok(most < 800_000, `live cameras have room: ${most} of 1,000,000 bytes were used`)
  for (const camera of ['cam-0', 'cam-1']) {
    const own = taken.filter((m) => m.camera === camera).map((m) => m.first)
    t.same(
      own,
      [...own].sort((a, b) => a - b),
    )
    t.equal(own.length, 30)
  }
})

t.test('a replay over a server that is killed and restarted loses nothing', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const file = await makeFeed(
    t,
    'f.mcap',
    Array.from({ length: 100 }, (_, i) => frame(i)),
  )
  let published = 0
  const onProgress = ({ published: now }: ReplayProgress) => (published = now)
  const running = replay(connection, options([file], { rate: 100, onProgress }))
  await until(() => published >= 20)
  await nats.kill('SIGKILL')
  await nats.restart()
  const summary = await running
  t.equal(summary.published + summary.duplicates, 100)
  const all = await stored(await nats.connect())
  t.equal(all.length, 100)
  t.same(
    all.filter((m) => m.camera === 'cam-1').map((m) => m.first),
    Array.from({ length: 50 }, (_, i) => 2 * i + 1),
  )
})

t.test('a frame that is too large is counted and does not stop the others', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const file = await makeFeed(t, 'g.mcap', [frame(0), { ...frame(1), jpeg: Buffer.alloc(16_777_216) }, frame(2)])
  t.match(await replay(connection, options([file])), { published: 2, refused: 1 })
})

t.test('shifted times are never in the future', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000_000 }),
      fc.constantFrom(0.5, 1, 3, 100, Infinity),
      fc.integer({ min: 1, max: 9 }),
      fc.option(fc.double({ min: 0.1, max: 1e5, noNaN: true }), { nil: undefined }),
      (period, speed, loops, rate) => {
        const now = 1_800_000_000_000
        const whole = { start: 1_700_000_000_000, period, total: 100 }
        const shift = shiftToNow(whole, { speed, rate, loops }, now)
        const wall = rate === undefined ? (period * loops) / speed : (100 * loops * 1_000) / rate
        // At any point of the replay, event time is not ahead of the wall clock.
        return [0, 0.3, 1].every((share) => whole.start + shift + share * period * loops <= now + share * wall + 1)
      },
    ),
  )
  t.equal(
    shiftToNow({ start: 500, period: 1_000, total: 5 }, { speed: 1, loops: 1 }, 10_000) + 500,
    10_000,
    'at the original speed it begins now',
  )
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { FeedFrame } from '../../../engine/feeds/feed_format.js'
import { readFrames } from '../../../engine/feeds/feed_reader.js'
import { record } from '../../../engine/feeds/feed_recording.js'
import { replay, type ReplayOptions } from '../../../engine/feeds/feed_replay.js'
import { FeedWriter } from '../../../engine/feeds/feed_writer.js'
import { cameraOf, STREAM } from '../../../engine/nats/topology.js'
import { startTestNats } from '../../servers/nats.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-replay-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const START = Date.UTC(2026, 4, 1, 8, 30)
const frame = (i: number, bytes = 2_000): FeedFrame => ({
  camera: `cam-${i % 2}`,
  capturedAt: START + i * 50,
  headers: i % 2 ? { Position: '1,2' } : {},
  jpeg: Buffer.alloc(bytes, i % 256),
})
const makeFeed = async (name: string, frames: readonly FeedFrame[]) => {
  const file = join(folder, name)
  const writer = await FeedWriter.create(file, { replace: true })
  await writer.addCamera({ id: 'cam-0', name: 'Zero', kind: 'fixed', lat: 1, lon: 2, agency: '' })
  for (const one of frames) await writer.addFrame(one)
  await writer.close()
  return file
}
const options = (files: string[], more: Partial<ReplayOptions> = {}): ReplayOptions => ({
  files,
  speed: Infinity,
  shiftTime: 'keep',
  ...more,
})

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
  const { state } = await manager.streams.info(STREAM.frames)
  const all = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const m = await manager.streams.getMessage(STREAM.frames, { seq })
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
  'every frame arrives once, with its headers and times, in the order of its camera; twice adds nothing',
  async (t) => {
    const nats = await startTestNats(t)
    const connection = await nats.connect()
    const file = await makeFeed(
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

t.test('loops go on in time; times moved to now end now', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const file = await makeFeed(
    'b.mcap',
    Array.from({ length: 10 }, (_, i) => frame(i)),
  )
  await replay(connection, options([file], { loops: 3, shiftTime: 'now' }))
  const own = (await stored(connection)).filter((m) => m.camera === 'cam-0').map((m) => Date.parse(m.time))
  t.equal(own.length, 15)
  t.ok(
    own.every((time, i) => i === 0 || time > own[i - 1]!),
    'time moves on',
  )
  t.ok(Math.abs(own.at(-1)! - Date.now()) < 5_000)
  t.ok(own.at(-1)! <= Date.now())
})

t.test('the original pace is the pace of event time', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const file = await makeFeed(
    'c.mcap',
    Array.from({ length: 21 }, (_, i) => frame(i)),
  )
  const summary = await replay(connection, options([file], { speed: 1 }))
  t.ok(summary.ms >= 990 && summary.ms < 2_000, `${summary.ms} ms for one second of feed`)
  const twice = await replay(connection, options([file], { speed: 2 }))
  t.ok(twice.ms >= 490 && twice.ms < summary.ms, `${twice.ms} ms at double speed`)
})

t.test('several files are played together by their times', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const one = await makeFeed(
    'd1.mcap',
    [0, 3, 4].map((i) => ({ ...frame(i), camera: 'cam-0' })),
  )
  const two = await makeFeed(
    'd2.mcap',
    [1, 2, 5].map((i) => ({ ...frame(i), camera: 'cam-1' })),
  )
  await replay(connection, options([one, two], { speed: 1 }))
  t.same(
    (await stored(connection)).map((m) => m.first),
    [0, 1, 2, 3, 4, 5],
  )
})

t.test('a full stream is waited for: nothing is skipped, and the order of a camera holds', async (t) => {
  const nats = await startTestNats(t, { framesMaxBytes: 1_000_000 })
  const connection = await nats.connect()
  const file = await makeFeed(
    'e.mcap',
    Array.from({ length: 60 }, (_, i) => frame(i, 100_000)),
  )
  const reasons = new Set<string | undefined>()
  const running = replay(connection, options([file], { onWaiting: (reason) => reasons.add(reason) }))
  const manager = await connection.jetstreamManager()
  const taken: Stored[] = []
  let next = 1
  while (taken.length < 60) {
    await new Promise((r) => setTimeout(r, 100))
    for (const { last_seq } = (await manager.streams.info(STREAM.frames)).state; next <= last_seq; next++) {
      const m = await manager.streams.getMessage(STREAM.frames, { seq: next })
      taken.push({ camera: cameraOf(m.subject), time: '', position: '', first: m.data[0]! })
      await manager.streams.deleteMessage(STREAM.frames, next)
    }
  }
  t.match(await running, { published: 60, refused: 0 })
  t.ok(reasons.has('maximum bytes exceeded') && reasons.has(undefined), 'it said that it waits, and that it goes on')
  for (const camera of ['cam-0', 'cam-1']) {
    const own = taken.filter((m) => m.camera === camera).map((m) => m.first)
    t.same(
      own,
      [...own].sort((a, b) => a - b),
    )
    t.equal(own.length, 30)
  }
})

t.test('a server that is killed and comes back loses nothing', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const file = await makeFeed(
    'f.mcap',
    Array.from({ length: 100 }, (_, i) => frame(i)),
  )
  const running = replay(connection, options([file], { rate: 100 }))
  await new Promise((r) => setTimeout(r, 300))
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

t.test('a frame that can never be taken is counted and does not stop the others', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const file = await makeFeed('g.mcap', [frame(0), { ...frame(1), jpeg: Buffer.alloc(16_777_216) }, frame(2)])
  t.match(await replay(connection, options([file])), { published: 2, refused: 1 })
})

t.test('what is recorded is what was published, bad times and all, and can be replayed', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const source = await makeFeed('h.mcap', [
    ...Array.from({ length: 30 }, (_, i) => frame(i)),
    { ...frame(30), headers: { 'Captured-At': 'yesterday' } },
    { ...frame(31), headers: { 'Captured-At': '' } },
  ])
  const end = new AbortController()
  const out = join(folder, 'h-recorded.mcap')
  const recording = record(connection, { out, signal: end.signal })
  await new Promise((r) => setTimeout(r, 300))
  await replay(connection, options([source], { register: true }))
  await replay(connection, options([source])) // refused as duplicates by the stream, and by the recording
  await connection.flush()
  await new Promise((r) => setTimeout(r, 200))
  end.abort()
  t.match(await recording, { frames: 32, missed: 0, files: [out], cameras: 2 })
  const key = (f: FeedFrame) => [
    f.camera,
    f.headers['Captured-At'] ?? f.capturedAt,
    f.headers.Position,
    f.jpeg[0],
    f.jpeg.length,
  ]
  const back = []
  for await (const one of readFrames(out)) back.push(key(one))
  const expected = []
  for await (const one of readFrames(source)) expected.push(key(one))
  t.same(back.sort(), expected.sort())
})

t.test('a recording goes on in a new file at its bound', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const source = await makeFeed(
    'i.mcap',
    Array.from({ length: 50 }, (_, i) => frame(i, 200_000)),
  )
  const recording = record(connection, {
    out: join(folder, 'parts.mcap'),
    maxBytes: 3_000_000,
    maxFrames: 50,
    signal: new AbortController().signal,
  })
  await new Promise((r) => setTimeout(r, 300))
  await replay(connection, options([source]))
  const { files } = await recording
  t.ok(files.length >= 3 && files.every((file, i) => file.endsWith(`parts-000${i + 1}.mcap`)))
  let count = 0
  for (const file of files) for await (const _ of readFrames(file)) count++
  t.equal(count, 50)
})

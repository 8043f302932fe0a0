import { dirname, join } from 'node:path'
import t from 'tap'
import type { FeedFrame } from '../../../engine/feeds/feed_format.js'
import { readFrames } from '../../../engine/feeds/feed_reader.js'
import { record } from '../../../engine/feeds/feed_recording.js'
import { replay, type ReplayOptions } from '../../../engine/feeds/feed_replay.js'
import { probeMapping } from '../../../engine/nats/mapping_probe.js'
import { startTestNats } from '../../servers/nats.js'
import { until } from '../../until.js'
import { frame, makeFeed } from './small_feed.js'

const options = (files: string[], more: Partial<ReplayOptions> = {}): ReplayOptions => ({
  files,
  speed: Infinity,
  shiftTime: 'keep',
  ...more,
})

t.test('a recording has every published frame, invalid times included, and can be replayed', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const source = await makeFeed(t, 'h.mcap', [
    ...Array.from({ length: 30 }, (_, i) => frame(i)),
    { ...frame(30), headers: { 'Captured-At': 'yesterday' } },
    { ...frame(31), headers: { 'Captured-At': '' } },
  ])
  const end = new AbortController()
  const out = join(dirname(source), 'h-recorded.mcap')
  let begun = false
  const recording = record(connection, { out, signal: end.signal, onProgress: () => (begun = true) })
  await until(() => begun)
  await replay(connection, options([source], { register: true }))
  t.same(await probeMapping(connection, nats.partitions, 'recording'), [], 'an engine looks for the mapping')
  await replay(connection, options([source])) // duplicates for the stream, and for the recording
  await connection.flush() // the server has sent the recording every frame
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

t.test('a recording continues in a new file when one reaches its bound', async (t) => {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const source = await makeFeed(
    t,
    'i.mcap',
    Array.from({ length: 50 }, (_, i) => frame(i, 200_000)),
  )
  let begun = false
  const recording = record(connection, {
    out: join(dirname(source), 'parts.mcap'),
    maxBytes: 3_000_000,
    maxFrames: 50,
    signal: new AbortController().signal,
    onProgress: () => (begun = true),
  })
  await until(() => begun)
  await replay(connection, options([source]))
  const { files } = await recording
  t.ok(files.length >= 3 && files.every((file, i) => file.endsWith(`parts-000${i + 1}.mcap`)))
  let count = 0
  for (const file of files) for await (const _ of readFrames(file)) count++
  t.equal(count, 50)
})

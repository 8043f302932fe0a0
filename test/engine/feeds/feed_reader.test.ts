import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { FeedFrame } from '../../../engine/feeds/feed_format.js'
import { inspectFeed, readAttachment } from '../../../engine/feeds/feed_index.js'
import { readFrames } from '../../../engine/feeds/feed_reader.js'
import { FeedWriter } from '../../../engine/feeds/feed_writer.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-feed-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
const write = async (frames: readonly FeedFrame[], close = true) => {
  const file = join(folder, `${made++}.mcap`)
  const writer = await FeedWriter.create(file)
  await writer.addCamera({ id: 'cam-1', name: 'One', kind: 'fixed', lat: 1, lon: 2, agency: '' })
  for (const frame of frames) await writer.addFrame(frame)
  if (close) await writer.close()
  return file
}
const read = async (file: string, warnings: unknown[] = []) => {
  const frames = []
  for await (const frame of readFrames(file, { warn: (f, m) => warnings.push([f, m]) }))
    frames.push({ ...frame, jpeg: Buffer.from(frame.jpeg) })
  return frames
}
const frame = (i: number, bytes = 1_000): FeedFrame => ({
  camera: `cam-${i % 3}`,
  capturedAt: 1_700_000_000_000 + i * 100,
  recordedAt: 1_700_000_000_500 + i * 100,
  headers: i % 3 === 2 ? { Position: `37.${i},-122.4`, Heading: '90' } : {},
  jpeg: Buffer.alloc(bytes, i),
})

t.setTimeout(120_000)

t.test('written frames are read in order, with their headers', async (_t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          camera: fc.stringMatching(/^[a-z0-9-]{1,12}$/),
          capturedAt: fc.integer({ min: 0, max: 4_102_444_800_000 }),
          recordedAt: fc.integer({ min: 0, max: 4_102_444_800_000 }),
          headers: fc.dictionary(fc.stringMatching(/^[A-Z][A-Za-z-]{0,20}$/), fc.string({ maxLength: 30 }), {
            maxKeys: 3,
            noNullPrototype: true,
          }),
          jpeg: fc.uint8Array({ maxLength: 2_000 }).map((a) => Buffer.from(a)),
        }),
        { maxLength: 30 },
      ),
      async (frames) => {
        const back = await read(await write(frames))
        const expected = frames.map((f, index) => ({ ...f, index }))
        return JSON.stringify(back.map(canonical)) === JSON.stringify(expected.map(canonical))
      },
    ),
    { numRuns: 40 },
  )
})

const canonical = (f: FeedFrame & { index: number }) => [
  f.index,
  f.camera,
  f.capturedAt,
  f.recordedAt,
  Object.entries(f.headers).sort(),
  Buffer.from(f.jpeg).toString('hex'),
]

t.test('the index describes the feed, and attachments come back', async (t) => {
  const file = join(folder, 'whole.mcap')
  const writer = await FeedWriter.create(file)
  await writer.addCamera({ id: 'cam-1', name: 'One', kind: 'mobile', agency: 'x' })
  await writer.addCamera({ id: 'cam-1', name: 'again', kind: 'mobile', agency: 'x' })
  for (let i = 0; i < 90; i++) await writer.addFrame(frame(i, 40_000))
  await writer.addAttachment('truth.jsonl', 'application/jsonl', Buffer.from('{"plate":"A"}\n'))
  await writer.close()
  t.match(await inspectFeed(file), {
    total: 90,
    start: frame(0).capturedAt,
    end: frame(89).capturedAt,
    cutOff: false,
    cameras: [{ id: 'cam-1', name: 'One' }],
  })
  t.same(
    (await inspectFeed(file)).frames,
    new Map([
      ['cam-0', 30],
      ['cam-1', 30],
      ['cam-2', 30],
    ]),
  )
  t.equal(Buffer.from((await readAttachment(file, 'truth.jsonl'))!).toString(), '{"plate":"A"}\n')
  t.equal(await readAttachment(file, 'other'), undefined)
  await t.rejects(FeedWriter.create(file), { code: 'ALPR_ERR_FEED_INVALID', message: /exists already/ })
  const other = join(folder, 'copy.mcap')
  writeFileSync(other, readFileSync(file))
  t.equal((await inspectFeed(other)).id, (await inspectFeed(file)).id)
})

t.test('a feed that is cut anywhere gives a prefix of its frames and a warning, and never throws', async (t) => {
  const frames = Array.from({ length: 120 }, (_, i) => frame(i, 30_000))
  const whole = await write(frames)
  const size = statSync(whole).size
  const content = readFileSync(whole)
  for (const share of [0.1, 0.37, 0.62, 0.93, 0.9999]) {
    const file = join(folder, `cut-${share}.mcap`)
    writeFileSync(file, content.subarray(0, Math.floor(size * share)))
    const warnings: unknown[] = []
    const back = await read(file, warnings)
    t.ok(
      back.length <= frames.length && back.length >= Math.floor(frames.length * share) - 36,
      `${share}: ${back.length} frames`,
    )
    t.same(
      back.map((f) => f.jpeg[0]),
      frames.slice(0, back.length).map((f) => f.jpeg[0]),
    )
    t.equal(warnings.length, 1)
    t.match(await inspectFeed(file), { total: back.length, cutOff: true })
  }
  truncateSync(whole, 8)
  await t.rejects(read(whole), { code: 'ALPR_ERR_FEED_INVALID' })
})

t.test('the checksum finds a flipped byte, and no wrong frame is read', async (t) => {
  const frames = Array.from({ length: 120 }, (_, i) => frame(i, 30_000))
  const file = await write(frames)
  const content = readFileSync(file)
  content[Math.floor(content.length / 2)]! ^= 1
  writeFileSync(file, content)
  const warnings: unknown[] = []
  const back = await read(file, warnings)
  t.ok(back.length > 20 && back.length < 120)
  t.ok(back.every((f, i) => f.jpeg.equals(frames[i]!.jpeg as Buffer)))
  t.match(warnings, [[{ reason: /CRC/ }, /damaged/]])
})

t.test('a file that is not a feed is refused with the reason', async (t) => {
  for (const [content, reason] of [
    ['', /empty/],
    ['hello, this is not a feed', /not an MCAP file/],
    ['abc', /not an MCAP/],
  ] as const) {
    const file = join(folder, 'not-a-feed')
    writeFileSync(file, content)
    await t.rejects(read(file), { code: 'ALPR_ERR_FEED_INVALID', message: reason })
    await t.rejects(inspectFeed(file), { code: 'ALPR_ERR_FEED_INVALID', message: reason })
  }
  await t.rejects(read(join(folder, 'nowhere.mcap')), { message: /no such file/ })
})

t.test('reading a feed of 120 MB takes bounded memory', async (t) => {
  const file = join(folder, 'large.mcap')
  const writer = await FeedWriter.create(file)
  const jpeg = Buffer.alloc(500_000, 7)
  for (let i = 0; i < 240; i++) await writer.addFrame({ ...frame(i), jpeg })
  await writer.close()
  const before = process.memoryUsage().rss
  let peak = 0
  let count = 0
  for await (const _ of readFrames(file)) if (++count % 20 === 0) peak = Math.max(peak, process.memoryUsage().rss)
  t.equal(count, 240)
  t.ok(peak - before < 60e6, `${Math.round((peak - before) / 1e6)} MB more for a feed of 120 MB`)
})

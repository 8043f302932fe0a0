import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { readFrames } from '../../../engine/feeds/feed_reader.js'
import { FeedWriter } from '../../../engine/feeds/feed_writer.js'
import { importVideo } from '../../../engine/feeds/video_import.js'

const root = mkdtempSync(join(tmpdir(), 'platestream-import-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))

t.test('ffmpeg decodes a video with its rate, times and length', async (t) => {
  const video = join(root, 'v.mp4')
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=duration=3:size=320x240:rate=10'],
    ...['-metadata', 'creation_time=2026-05-01T08:30:00Z', video],
  ])
  const run = async (name: string, more: object) => {
    const file = join(root, `${name}.mcap`)
    const writer = await FeedWriter.create(file)
    const summary = await importVideo(writer, { input: video, camera: 'v', quality: 90, ...more })
    await writer.close()
    const frames = []
    for await (const frame of readFrames(file)) frames.push(frame)
    return { summary, frames }
  }
  const own = await run('own', {})
  t.match(own.summary, { frames: 30, fps: 10, start: Date.UTC(2026, 4, 1, 8, 30) })
  t.same(
    own.frames.map((f) => f.capturedAt),
    Array.from({ length: 30 }, (_, i) => Date.UTC(2026, 4, 1, 8, 30) + i * 100),
  )
  for (const frame of own.frames)
    t.match(await sharp(frame.jpeg).metadata(), { width: 320, height: 240, format: 'jpeg' })
  t.match(
    (await run('slow', { fps: 2, start: 5_000, maxMs: 2_000 })).frames.map((f) => f.capturedAt),
    [5_000, 5_500, 6_000, 6_500],
  )
  const broken = join(root, 'broken.mp4')
  copyFileSync(video, broken)
  writeFileSync(broken, Buffer.alloc(10_000, 3))
  const writer = await FeedWriter.create(join(root, 'broken.mcap'))
  await t.rejects(importVideo(writer, { input: broken, camera: 'v', quality: 90 }), {
    code: 'ALPR_ERR_FEED_INVALID',
    message: /ffmpeg gets no frame out of it: /,
  })
  await writer.close()
})

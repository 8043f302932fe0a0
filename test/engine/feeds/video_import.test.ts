import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

const imported = async (name: string, input: string, more: object = {}) => {
  const file = join(root, `${name}.mcap`)
  const writer = await FeedWriter.create(file)
  const summary = await importVideo(writer, { input, camera: 'v', quality: 90, start: 0, ...more }).finally(() =>
    writer.close(),
  )
  const times: number[] = []
  for await (const frame of readFrames(file)) times.push(frame.capturedAt)
  return { summary, times }
}

t.test('each frame of a variable rate keeps its own time, and a lower rate copies none', async (t) => {
  const video = join(root, 'variable.mkv')
  // ten frames a second, but only one a second from 1 s to 4 s
  const select = "select='lt(t,1)+gte(t,4)+not(mod(n,10))'"
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=duration=5:size=320x240:rate=10'],
    ...['-vf', select, '-vsync', 'passthrough', video],
  ])
  const tenth = Array.from({ length: 50 }, (_, i) => i * 100)
  const expected = tenth.filter((ms) => ms < 1_000 || ms >= 4_000 || ms % 1_000 === 0)
  t.same((await imported('variable', video)).times, expected)
  const { times, summary } = await imported('variable-2', video, { fps: 2 })
  t.same(times, [0, 500, 1_000, 2_000, 3_000, 4_000, 4_500], 'no frame between 1 s and 4 s is made up')
  t.equal(summary.times, 'video')
})

t.test('names with a colon or a dash are files; the network and other files are not reached', async (t) => {
  const video = join(root, 'plain.mp4')
  execFileSync('ffmpeg', [...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=duration=1:size=320x240:rate=5', video]])
  const folder = process.cwd()
  process.chdir(root)
  t.teardown(() => process.chdir(folder))
  for (const name of ['2026-05-01T08:30:00.mp4', '-dash.mp4', 'a b\u00e9.mp4']) {
    copyFileSync(video, join(root, name))
    t.equal((await imported(`named-${name.length}`, name)).times.length, 5, name)
  }
  writeFileSync('list.m3u8', `#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n`)
  await t.rejects(imported('list', 'list.m3u8'), { code: 'ALPR_ERR_FEED_INVALID' })
  await t.rejects(imported('concat', `concat://${video}`), { message: /concat: is not read/ })
  const secret = imported('secret', 'rtsp://user:secret@127.0.0.1:9/x')
  await t.rejects(secret, { code: 'ALPR_ERR_FEED_INVALID', message: /^(?!.*secret)/s })
})

t.test('a file without times has a rate that is said; a live stream without times has those of arrival', async (t) => {
  const raw = join(root, 'raw.mjpeg')
  execFileSync('ffmpeg', [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=duration=1:size=320x240:rate=10', '-f', 'mjpeg', raw],
  ])
  t.match(await imported('raw', raw, { fps: 2 }), {
    times: Array.from({ length: 10 }, (_, i) => i * 500),
    summary: { times: 'rate', fps: 2 },
  })
  t.match((await imported('raw-25', raw)).summary, { times: 'rate', fps: 25, frames: 10 })

  const jpeg = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#777' } })
    .jpeg()
    .toBuffer()
  const camera = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=b' })
    let sent = 0
    const timer = setInterval(() => {
      response.write(`--b\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.length}\r\n\r\n`)
      response.write(jpeg)
      response.write('\r\n')
      if (++sent === 30) response.end()
    }, 100)
    response.on('close', () => clearInterval(timer))
  })
  await new Promise<void>((resolve) => camera.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void camera.close())
  const { port } = camera.address() as AddressInfo
  const { times, summary } = await imported('live', `http://127.0.0.1:${port}/v.mjpg`)
  t.equal(summary.times, 'clock')
  t.ok(times.length >= 28, `${times.length} of 30 frames`)
  const steps = times.map((time, i) => time - (times[i - 1] ?? 0))
  t.ok(
    steps.every((ms) => ms >= 0),
    'in order',
  )
})

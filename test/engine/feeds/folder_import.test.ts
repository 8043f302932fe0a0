import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { importFolder, type FolderOptions } from '../../../engine/feeds/folder_import.js'
import { readFrames } from '../../../engine/feeds/feed_reader.js'
import { FeedWriter } from '../../../engine/feeds/feed_writer.js'

const root = mkdtempSync(join(tmpdir(), 'platestream-import-'))
t.teardown(() => rmSync(root, { recursive: true, force: true }))

const picture = (format: 'jpeg' | 'png', width = 64) =>
  sharp({ create: { width, height: 48, channels: 3, background: '#808080' } })
    .toFormat(format)
    .toBuffer()
const importOf = async (name: string, options: Partial<FolderOptions> & { folder: string }) => {
  const file = join(root, `${name}.mcap`)
  const writer = await FeedWriter.create(file)
  const summary = await importFolder(writer, { time: 'auto', zoneMinutes: 0, quality: 90, ...options })
  await writer.close()
  const frames = []
  for await (const frame of readFrames(file)) frames.push(frame)
  return { summary, frames }
}

t.test(
  'pictures become frames in numeric order at a rate; other formats are converted, other files reported',
  async (t) => {
    const folder = join(root, 'rate')
    mkdirSync(folder)
    const jpeg = await picture('jpeg')
    for (const n of [1, 2, 10]) writeFileSync(join(folder, `f${n}.jpg`), n === 10 ? await picture('jpeg', 80) : jpeg)
    writeFileSync(join(folder, 'f11.png'), await picture('png'))
    writeFileSync(join(folder, 'f12.jpg'), 'not a picture')
    writeFileSync(join(folder, 'readme.txt'), 'x')
    const { summary, frames } = await importOf('rate', { folder, camera: 'c', start: 1_000_000, fps: 4 })
    t.match(summary, { frames: 4, cameras: ['c'], time: 'start', converted: 1, skipped: [{ file: /f12\.jpg$/ }] })
    t.same(
      frames.map((f) => f.capturedAt),
      [1_000_000, 1_000_250, 1_000_500, 1_000_750],
    )
    t.ok(Buffer.from(frames[0]!.jpeg).equals(jpeg), 'a JPEG is kept byte for byte')
    t.equal((await sharp(frames[2]!.jpeg).metadata()).width, 80, 'f10 comes after f2')
    t.equal((await sharp(frames[3]!.jpeg).metadata()).format, 'jpeg')
  },
)

t.test('names give times, subfolders give cameras, and all frames are ordered by time', async (t) => {
  const folder = join(root, 'names')
  for (const [camera, second] of [
    ['North Gate', 1],
    ['south', 2],
    ['North Gate', 3],
  ] as const) {
    mkdirSync(join(folder, camera), { recursive: true })
    writeFileSync(join(folder, camera, `20260501_08300${second}.jpg`), await picture('jpeg'))
  }
  const { summary, frames } = await importOf('names', { folder, zoneMinutes: 120 })
  t.match(summary, { time: 'name', cameras: ['north-gate', 'south'] })
  t.same(
    frames.map((f) => [f.camera, new Date(f.capturedAt).toISOString()]),
    [
      ['north-gate', '2026-05-01T06:30:01.000Z'],
      ['south', '2026-05-01T06:30:02.000Z'],
      ['north-gate', '2026-05-01T06:30:03.000Z'],
    ],
  )
})

t.test('when half of the pictures lack a time in their names, all pictures use their file time', async (t) => {
  const folder = join(root, 'mixed')
  mkdirSync(folder)
  for (const [i, name] of ['20260501_083000.jpg', 'x.jpg'].entries()) {
    writeFileSync(join(folder, name), await picture('jpeg'))
    utimesSync(join(folder, name), 1_000 + i, 1_000 + i)
  }
  const { summary, frames } = await importOf('mixed', { folder, camera: 'c' })
  t.equal(summary.time, 'mtime')
  t.same(
    frames.map((f) => f.capturedAt),
    [1_000_000, 1_001_000],
  )
  await t.rejects(importOf('mixed2', { folder, camera: 'c', time: 'name' }), {
    code: 'ALPR_ERR_FEED_INVALID',
    message: /no time in its name/,
  })
})

t.test('a folder that cannot be imported is refused with the reason', async (t) => {
  const folder = join(root, 'empty')
  mkdirSync(folder)
  await t.rejects(importOf('empty', { folder, camera: 'c' }), { message: /no pictures/ })
  writeFileSync(join(folder, 'a.jpg'), await picture('jpeg'))
  await t.rejects(importOf('empty2', { folder }), { message: /which camera/ })
  await t.rejects(importOf('empty3', { folder: join(root, 'nowhere'), camera: 'c' }), { code: 'ALPR_ERR_FEED_INVALID' })
})

t.test('a picture that lies on its side is turned upright', async (t) => {
  const folder = join(root, 'side')
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'a.jpg'),
    await sharp(await picture('jpeg'))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer(),
  )
  const { frames } = await importOf('side', { folder, camera: 'c', fps: 1 })
  t.match(await sharp(frames[0]!.jpeg).metadata(), { width: 48, height: 64 })
})

t.test('hidden and helper folders and other files are left out, counted, and change no times', async (t) => {
  const folder = join(root, 'stray')
  for (const below of ['@eaDir/a.jpg', '.thumbnails', '__MACOSX']) mkdirSync(join(folder, below), { recursive: true })
  const jpeg = await picture('jpeg')
  for (const name of [
    '20260501_083000.jpg',
    '20260501_083001.JPE',
    '20260501_083002.jfif',
    '@eaDir/a.jpg/THUMB_M.jpg',
    '.thumbnails/1.jpg',
    '__MACOSX/x.jpg',
    'stray.jpg',
  ])
    writeFileSync(join(folder, name), jpeg)
  const heic = Buffer.concat([Buffer.from([0, 0, 0, 16]), Buffer.from('ftypheic\0\0\0\0'), Buffer.alloc(64)])
  writeFileSync(join(folder, '20260501_083003.heic'), heic)
  writeFileSync(join(folder, '20260501_083004.jpg'), heic)
  writeFileSync(join(folder, 'Thumbs.db'), 'x')
  writeFileSync(join(folder, 'notes.txt'), 'words')
  const { summary, frames } = await importOf('stray', { folder, camera: 'c' })
  t.same(
    frames.map((f) => new Date(f.capturedAt).toISOString().slice(11, 19)),
    ['08:30:00', '08:30:01', '08:30:02'],
  )
  t.equal(summary.time, 'name')
  t.same(Object.fromEntries(summary.leftOut.map(({ reason, files }) => [reason, files])), {
    'a hidden or helper folder': 3,
    'a HEIC photo': 2,
    'a hidden or helper file': 1,
    'a text file': 1,
    'a picture without a time in its name, which most have': 1,
  })
  const heics = join(root, 'heics')
  mkdirSync(heics)
  writeFileSync(join(heics, 'a.heic'), heic)
  await t.rejects(importOf('heics', { folder: heics, camera: 'c' }), { message: /1 times a HEIC photo/ })
})

t.test('what the stream refuses is not put into a feed; what it reads in part is counted', async (t) => {
  const folder = join(root, 'damaged')
  mkdirSync(folder)
  const noise = await sharp({
    create: {
      width: 320,
      height: 240,
      channels: 3,
      background: '#888',
      noise: { type: 'gaussian', mean: 128, sigma: 60 },
    },
  })
    .jpeg()
    .toBuffer()
  writeFileSync(join(folder, '1.jpg'), noise.subarray(0, noise.length - 2))
  writeFileSync(join(folder, '2.jpg'), noise.subarray(0, Math.floor(noise.length * 0.8)))
  writeFileSync(join(folder, '3.jpg'), noise.subarray(0, 700))
  const { summary, frames } = await importOf('damaged', { folder, camera: 'c', fps: 1 })
  t.equal(frames.length, 2)
  t.match(summary, { damaged: 1, skipped: [{ file: /3\.jpg$/, reason: /ends too early/ }] })
})

import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { isoWeek } from '../../../engine/pictures/segment.js'
import { SegmentReader } from '../../../engine/pictures/segment_reader.js'
import { SegmentWriter } from '../../../engine/pictures/segment_writer.js'

const TS = Date.UTC(2026, 10, 16, 8)
const WEEK_MS = 7 * 86_400_000
const picture = (size: number, seed = 0) =>
  Buffer.from(Array.from({ length: size }, (_, index) => (index * 31 + seed) & 255))

async function folderOf(t: { teardown(end: () => unknown): unknown }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'platestream-crops-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

t.setTimeout(120_000)

t.test('concurrent appends can all be read', async (t) => {
  const folder = await folderOf(t)
  const writer = await SegmentWriter.open(folder, 'e1')
  const reader = new SegmentReader(folder)
  const pictures = Array.from({ length: 200 }, (_, index) => picture(1 + index * 37, index))
  const refs = await Promise.all(pictures.map((one) => writer.append(TS, one)))
  t.equal(new Set(refs.map((ref) => ref.offset)).size, 200, 'no two share an offset')
  for (const [index, ref] of refs.entries()) t.same(await reader.read(ref), pictures[index])
  await writer.sync()
  await writer.close()
  await t.rejects(writer.append(TS, picture(5)), { code: 'ALPR_ERR_CROP_UNWRITABLE' })
})

t.test('each week and instance has its own file', async (t) => {
  const folder = await folderOf(t)
  const one = await SegmentWriter.open(folder, 'e1')
  const two = await SegmentWriter.open(folder, 'e2.local')
  await one.append(TS, picture(5))
  await one.append(TS - WEEK_MS, picture(5))
  await two.append(TS, picture(5))
  t.same((await readdir(folder)).sort(), ['2026-W46-e1.crops', '2026-W47-e1.crops', '2026-W47-e2.local.crops'])
  await one.close()
  await two.close()
})

t.test('an incomplete record at the end of a file does no harm', async (t) => {
  const folder = await folderOf(t)
  const first = await SegmentWriter.open(folder, 'e1')
  const ref = await first.append(TS, picture(1_000))
  await first.close()
  const path = join(folder, ref.segment)
  const whole = await readFile(path)
  for (const cut of [1, 5, 11, 12, 500]) {
    await writeFile(path, Buffer.concat([whole, whole.subarray(0, cut)]))
    const again = await SegmentWriter.open(folder, 'e1')
    const next = await again.append(TS, picture(300, cut))
    await again.close()
    t.equal(next.offset, whole.length + cut)
    t.same(await new SegmentReader(folder).read(next), picture(300, cut))
    t.same(await new SegmentReader(folder).read(ref), picture(1_000))
    await t.rejects(new SegmentReader(folder).read({ ...ref, offset: whole.length, length: 312 }), {
      code: 'ALPR_ERR_CROP_CORRUPT',
    })
  }
})

t.test('any wrong byte of a record is found', async (t) => {
  const folder = await folderOf(t)
  const writer = await SegmentWriter.open(folder, 'e1')
  const ref = await writer.append(TS, picture(64))
  await writer.close()
  const whole = await readFile(join(folder, ref.segment))
  for (let byte = 0; byte < whole.length; byte++) {
    const wrong = Buffer.from(whole)
    wrong[byte]! ^= 1
    await writeFile(join(folder, ref.segment), wrong)
    await t.rejects(new SegmentReader(folder).read(ref), { code: 'ALPR_ERR_CROP_CORRUPT' })
  }
})

t.test('a forged reference reads no other file and no other record', async (t) => {
  const folder = await folderOf(t)
  const reader = new SegmentReader(folder)
  const outside = join(folder, '..', 'platestream-outside.crops')
  await writeFile(outside, 'secret')
  t.teardown(() => rm(outside, { force: true }))
  for (const segment of [
    '../platestream-outside.crops',
    '/etc/passwd',
    '',
    '.',
    '2026-W47-../../x.crops',
    '2026-W47-a/b.crops',
    '2026-W47-a\0.crops',
    '2026-W47-none.crops',
    '2026-W47-.crops/..',
  ]) {
    await t.rejects(reader.read({ segment, offset: 0, length: 20 }), { code: 'ALPR_ERR_NOT_FOUND' }, segment)
  }
  const writer = await SegmentWriter.open(folder, 'e1')
  const ref = await writer.append(TS, picture(10))
  await writer.close()
  for (const [offset, length] of [
    [-1, 22],
    [0.5, 22],
    [0, 12],
    [0, 1e12],
    [Number.NaN, 22],
    [0, 21],
    [0, 23],
    [1e15, 22],
  ] as const) {
    await t.rejects(reader.read({ ...ref, offset, length }), { code: 'ALPR_ERR_CROP_CORRUPT' }, `${offset} ${length}`)
  }
  for (const instance of ['', '../x', 'a/b', 'a b', 'x'.repeat(65)])
    await t.rejects(SegmentWriter.open(folder, instance), { code: 'ALPR_ERR_SETTINGS_INVALID' })
})

t.test('a full disk is a retryable error; later pictures are intact', async (t) => {
  const folder = await folderOf(t)
  await symlink('/dev/full', join(folder, `${isoWeek(TS)}-e1.crops`))
  const writer = await SegmentWriter.open(folder, 'e1')
  await t.rejects(writer.append(TS, picture(10)), { code: 'ALPR_ERR_CROP_UNWRITABLE', status: 503, message: /ENOSPC/ })
  await t.rejects(writer.append(TS, picture(10)), { code: 'ALPR_ERR_CROP_UNWRITABLE' })
  const ref = await writer.append(TS + WEEK_MS, picture(10))
  t.same(await new SegmentReader(folder).read(ref), picture(10))
  await writer.close()
  await t.rejects(writer.append(TS, Buffer.alloc(0)), { code: 'ALPR_ERR_CROP_UNWRITABLE' })
})

t.test('appends to many weeks keep few files open', async (t) => {
  const folder = await folderOf(t)
  const writer = await SegmentWriter.open(folder, 'e1')
  const reader = new SegmentReader(folder)
  const opened = async () => (await readdir('/proc/self/fd')).length
  const before = await opened()
  const refs = []
  for (let round = 0; round < 3; round++)
    refs.push(
      ...(await Promise.all(
        Array.from({ length: 60 }, async (_, week) => ({
          week,
          round,
          ref: await writer.append(TS + week * WEEK_MS, picture(50, week + round)),
        })),
      )),
    )
  for (let week = 0; week < 20; week++) await writer.append(TS + week * WEEK_MS, picture(9))
  t.ok((await opened()) - before < 20, `${(await opened()) - before} more files open`)
  for (const { week, round, ref } of refs) t.same(await reader.read(ref), picture(50, week + round))
  await writer.close()
  t.equal(await opened(), before)
})

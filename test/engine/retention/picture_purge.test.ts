import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { SegmentReader } from '../../../engine/pictures/segment_reader.js'
import { SegmentWriter } from '../../../engine/pictures/segment_writer.js'
import { purgePictures } from '../../../engine/retention/picture_purge.js'
import { holdReads } from '../../../engine/retention/holds.js'
import { migrate } from '../../../engine/store/migrate.js'
import { mondayOf, WEEK_MS } from '../../../engine/store/week.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { startTestStore } from '../../servers/store.js'
import { aHit, aRead } from '../store/rows.js'

t.setTimeout(240_000)

t.test('the pictures of a purged week are deleted, those of held reads and hits keep their place', async (t) => {
  const { client } = await startTestStore(t)
  await migrate(client, 'p')
  const folder = t.testdir({})
  const ts = aRead().ts
  const [one, two] = await Promise.all([SegmentWriter.open(folder, 'one'), SegmentWriter.open(folder, 'two')])
  const make = async (id: number, writer: SegmentWriter, at = ts + id) => {
    const [crop, picture] = await writer.appendAll(at, [Buffer.alloc(3_000, id), Buffer.alloc(90_000, id + 100)])
    return aRead({ readId: String(id), ts: at, tsLast: at, crop: crop!, picture: picture! })
  }
  const plain = await make(1, one)
  const held = await make(2, one)
  const hitBy = await make(3, one)
  const other = await make(4, two)
  const later = await make(5, one, ts + WEEK_MS)
  await one.close()
  await two.close()
  await new StoreWriter(client, 'p').write({
    reads: [plain, held, hitBy, other, later],
    hits: [aHit({ readId: '3', crop: hitBy.crop!, picture: hitBy.picture! })],
    ledger: [],
  })
  await holdReads(client, 'p', [held])
  const segment = join(folder, held.crop!.segment)
  const before = statSync(segment)

  for (let time = 0; time < 2; time++) await purgePictures(client, 'p', folder, mondayOf(ts))
  t.same(
    (await readdir(folder)).sort(),
    [held.crop!.segment, later.crop!.segment].sort(),
    'a segment without kept pictures is deleted, and no other week is touched',
  )
  const reader = new SegmentReader(folder)
  for (const { crop, picture } of [held, hitBy, later]) {
    t.equal((await reader.read(crop!)).length, 3_000)
    t.equal((await reader.read(picture!)).length, 90_000)
  }
  for (const ref of [plain.crop!, plain.picture!, other.crop!])
    await t.rejects(reader.read(ref), { code: 'ALPR_ERR_NOT_FOUND' })
  const after = statSync(segment)
  t.equal(after.size, before.size)
  t.ok(after.blocks < before.blocks, 'holes take no space')
})

import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { backUp, restore, type BackupSystem } from '../../../engine/backup/backup.js'
import { inspectFeed } from '../../../engine/feeds/feed_index.js'
import { readFrames } from '../../../engine/feeds/feed_reader.js'
import { saveHotList } from '../../../engine/hotlists/hotlist_store.js'
import { SegmentReader } from '../../../engine/pictures/segment_reader.js'
import { startTestNats } from '../../servers/nats.js'
import { startTestStore } from '../../servers/store.js'
import { startTestSystem, type TestFrame, type TestSystem } from '../../servers/system.js'

const FEED = 'bench/feeds/sample.mcap'
t.setTimeout(280_000)

const partsOf = ({
  connection,
  store,
  dataFolder,
}: Pick<TestSystem, 'connection' | 'store' | 'dataFolder'>): BackupSystem => ({
  connection,
  client: store.client,
  database: 'platestream',
  cropsFolder: join(dataFolder, 'crops'),
})

t.test('a restored system continues from its backup and ends with the same results as the original', async (t) => {
  const { cameras, start } = await inspectFeed(FEED)
  const frames: TestFrame[] = []
  for await (const { camera, capturedAt, jpeg, index } of readFrames(FEED))
    if (capturedAt < start + 6_000) frames.push({ camera, capturedAt, jpeg: new Uint8Array(jpeg), id: `feed-${index}` })
  const half = frames.length >> 1
  const first = await startTestSystem(t, { cameras, engine: false })
  const { passes } = JSON.parse(await readFile('bench/feeds/sample.truth.json', 'utf8')) as {
    passes: { plate: string | null }[]
  }
  const plates = [...new Set(passes.map(({ plate }) => plate).filter((plate) => plate !== null))]
  await saveHotList(
    first.connection.jetstream(),
    {
      id: 'stolen',
      name: 'Stolen',
      kind: 'hot',
      priority: 'high',
      source: 'test',
      tolerance: 'tolerant',
      threshold: 0.5,
    },
    plates.map((plate) => ({ plate, reason: 'stolen' })),
  )
  await first.startEngine()
  for (const frame of frames.slice(0, half)) await first.publish(frame)
  await first.publish({ ...frames[0]!, camera: 'nobody-knows', id: 'stranger' })

  // While frames are still being processed, and with a checkpoint: before the first one ids are not decided.
  await first.untilStored(4)
  const folder = await mkdtemp(join(tmpdir(), 'platestream-backup-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const manifest = await backUp(partsOf(first), folder, 'test')
  t.match(manifest.streams.map(({ name }) => name).sort(), [
    'DEAD',
    'DETECTIONS-2-0',
    'DETECTIONS-2-1',
    'FRAMES-2-0',
    'FRAMES-2-1',
    'HITS',
    'KV_CAMERAS',
    'KV_FLOORS',
    'KV_HOTLISTS',
    'KV_PARTIALS',
    'OBJ_HOTLIST_FILES',
    'STATE-DETECTIONS-2-0',
    'STATE-DETECTIONS-2-1',
    'STATE-FRAMES-2-0',
    'STATE-FRAMES-2-1',
  ])
  await t.rejects(
    backUp(partsOf(first), folder, 'test'),
    { code: 'ALPR_ERR_BACKUP_FAILED' },
    'a backup never overwrites another one',
  )

  const dataFolder = await mkdtemp(join(tmpdir(), 'platestream-restored-'))
  const servers = {
    nats: await startTestNats(t, { partitions: 2, setup: false }),
    store: await startTestStore(t),
    dataFolder,
  }
  const second = await startTestSystem(t, { engine: false, servers })
  await restore(partsOf(second), folder)
  await t.rejects(
    restore(partsOf(second), folder),
    { code: 'ALPR_ERR_BACKUP_FAILED' },
    'a backup is restored into empty servers only',
  )
  await second.startEngine()
  for (const system of [first, second]) {
    for (const frame of frames.slice(half)) await system.publish(frame)
    for (const { camera, jpeg } of frames.slice(0, 16))
      await system.publish({ camera, capturedAt: start + 3_600_000, jpeg, id: `close-${camera}` })
    await system.untilStored(frames.length + 5, 120_000)
  }
  const expected = await resultOf(t, first)
  t.ok(expected.reads.length > 3, `${expected.reads.length} reads`)
  t.same(await resultOf(t, second), expected, 'the same reads, hits, ledger and dead letters')
})

/** Results to compare, without the places of pictures, which may differ between engines: each must be a JPEG. */
async function resultOf(t: Test, system: TestSystem) {
  const reads = await system.rows<
    Record<string, unknown> & { ts: string; crop_segment: string; crop_offset: string; crop_length: number }
  >(
    'SELECT * EXCEPT (counts) FROM platestream.reads FINAL WHERE toHour(ts) = (SELECT min(toHour(ts)) FROM ' +
      'platestream.reads) ORDER BY read_id',
  )
  const crops = new SegmentReader(join(system.dataFolder, 'crops'))
  for (const { crop_segment: segment, crop_offset: offset, crop_length: length } of reads)
    t.equal((await crops.read({ segment, offset: Number(offset), length })).readUInt16BE(0), 0xffd8)
  const hits = await system.rows<Record<string, unknown>>(
    'SELECT hit_id, max(revision) AS revision FROM platestream.hits FINAL GROUP BY hit_id ORDER BY hit_id',
  )
  return {
    reads: reads.map(({ crop_segment: _a, crop_offset: _b, picture_segment: _c, picture_offset: _d, ...rest }) => rest),
    hits,
    ledger: await system.rows(
      'SELECT camera, sum(frames_in) AS f, sum(with_reads) AS r, sum(without_plate) AS w, sum(dead) AS d ' +
        'FROM platestream.ledger FINAL GROUP BY camera ORDER BY camera',
    ),
    dead: (await system.dead()).map(({ reason, camera }) => ({ reason, camera })),
  }
}

t.test('a damaged or interrupted backup is refused before anything is changed', async (t) => {
  const system = await startTestSystem(t, { engine: false })
  const folder = await mkdtemp(join(tmpdir(), 'platestream-backup-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await t.rejects(restore(partsOf(system), folder), { code: 'ALPR_ERR_BACKUP_FAILED', message: /no finished backup/ })
  await writeFile(join(folder, 'manifest.json'), '{"format":2}')
  await t.rejects(restore(partsOf(system), folder), { code: 'ALPR_ERR_BACKUP_FAILED', message: /format is 2/ })
  await appendFile(join(folder, 'manifest.json'), 'x')
  await t.rejects(restore(partsOf(system), folder), { code: 'ALPR_ERR_BACKUP_FAILED' })
})

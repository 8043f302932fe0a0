import t from 'tap'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SegmentWriter } from '../../../engine/pictures/segment_writer.js'
import { loadSettings } from '../../../engine/settings.js'
import { migrate } from '../../../engine/store/migrate.js'
import { WHOLE } from '../../../engine/store/scope.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import type { Page } from '../../../engine/records/stored_records.js'
import { ClickHouseRecords } from '../../../engine/records/clickhouse_records.js'
import { aHit, aLedgerRow, aRead } from '../store/rows.js'
import { startTestStore } from '../../servers/store.js'

const TS = Date.UTC(2026, 10, 16, 8, 30)
t.setTimeout(240_000)

t.test('stored records over a real store', { timeout: 120_000 }, async (t) => {
  const store = await startTestStore(t)
  const crops = mkdtempSync(join(tmpdir(), 'platestream-crops-'))
  t.teardown(() => rmSync(crops, { recursive: true, force: true }))
  const settings = loadSettings({ env: {}, overrides: { 'clickhouse.database': 'p' } })
  await migrate(store.client, 'p')
  const writer = new StoreWriter(store.client, 'p')
  const records = new ClickHouseRecords(settings, store, crops)
  t.teardown(() => records.close())

  t.test('pages end nowhere too early and show no row twice, even when many rows share a millisecond', async (t) => {
    // 90 reads in 3 different milliseconds, so every page border falls into the middle of one.
    const reads = Array.from({ length: 90 }, (_, i) =>
      aRead({
        readId: String(1_000 + i),
        ts: TS + (i % 3),
        tsLast: TS + 900,
        camera: i % 2 ? 'c1' : 'c2',
        plate: i % 5 ? '8ABC123' : '7XYZ000',
      }),
    )
    const hits = reads.map((read) =>
      aHit({
        hitId: `${read.readId}.svs.8ABC123`,
        readId: read.readId,
        list: 'svs',
        ts: new Date(read.ts).toISOString(),
      }),
    )
    await writer.write({ reads, hits, ledger: [aLedgerRow({ framesIn: 9, withReads: 7, withoutPlate: 1, dead: 1 })] })
    const walk = async <T>(ask: (before?: string) => Promise<Page<T>>): Promise<T[]> => {
      const rows: T[] = []
      let before: string | undefined
      do {
        const page = await ask(before)
        rows.push(...page.items)
        before = page.next
      } while (before !== undefined && rows.length < 500)
      return rows
    }
    const order = [...reads]
      .sort((a, b) => b.ts - a.ts || Number(b.readId) - Number(a.readId))
      .map(({ readId }) => readId)
    for (const limit of [1, 7, 30, 90, 100]) {
      t.same(
        (await walk((before) => records.reads({ limit, ...(before && { before }) }, WHOLE))).map(
          ({ readId }) => readId,
        ),
        order,
        `by ${limit}`,
      )
    }
    t.same(
      (await walk((before) => records.hits({ limit: 11, list: 'svs', ...(before && { before }) }, WHOLE))).map(
        ({ readId }) => readId,
      ),
      order,
      'hits',
    )
    const ofCamera = await walk((before) =>
      records.reads({ limit: 10, camera: 'c2', ...(before && { before }) }, WHOLE),
    )
    t.same(
      ofCamera.map(({ readId }) => readId),
      order.filter((id) => Number(id) % 2 === 0),
    )
    const ofPlate = await walk((before) =>
      records.reads({ limit: 4, plate: '7XYZ000', ...(before && { before }) }, WHOLE),
    )
    t.same(
      ofPlate.map(({ readId }) => readId),
      order.filter((id) => Number(id) % 5 === 0),
    )
    t.match(ofPlate[0], {
      plate: '7XYZ000',
      ts: /^2026-11-16T08:30:00\.00\dZ$/,
      alternates: [{ plate: 'BABC123' }],
      crop: { segment: '2026-W47-e1.crops' },
    })
    t.same(await records.reads({ limit: 5, plate: 'NOBODY' }, WHOLE), { items: [] })
  })

  t.test('a read whose plate was corrected is found under the new one only', async (t) => {
    const read = aRead({ readId: '5000', ts: TS + 60_000, plate: '8OLD111' })
    await writer.write({ reads: [read], hits: [], ledger: [] })
    await writer.write({ reads: [{ ...read, version: 2, plate: '8NEW111' }], hits: [], ledger: [] })
    t.same((await records.reads({ limit: 5, plate: '8OLD111' }, WHOLE)).items, [])
    t.match((await records.reads({ limit: 5, plate: '8NEW111' }, WHOLE)).items, [{ readId: '5000', version: 2 }])
  })

  t.test('the ledger of an hour', async (t) => {
    t.match(await records.ledger({ limit: 5, from: TS - 3_600_000, to: TS + 3_600_000 }, WHOLE), {
      items: [{ camera: 'c1', hour: '2026-11-16T08:00:00.000Z', framesIn: 9, withReads: 7, withoutPlate: 1, dead: 1 }],
    })
    t.same(await records.ledger({ limit: 5, from: TS + 7_200_000, to: TS + 9_000_000 }, WHOLE), { items: [] })
  })

  t.test('the ledger of 300 cameras over a day comes in pages, the newest hours first, and ends nowhere', async (t) => {
    const day = Date.UTC(2026, 9, 1)
    const hours = Array.from({ length: 24 }, (_, hour) => day + hour * 3_600_000)
    const cameras = Array.from({ length: 300 }, (_, n) => `cam-${n}`)
    // Two parts an hour, added up.
    const rows = hours.flatMap((hour) =>
      cameras.flatMap((camera) => [1, 2].map((part) => aLedgerRow({ camera, hour, part, framesIn: part, version: 1 }))),
    )
    await writer.write({ reads: [], hits: [], ledger: rows })
    const range = { from: day, to: day + 24 * 3_600_000 }
    const first = await records.ledger({ ...range, limit: 1_000 }, WHOLE)
    t.equal(first.items[0]!.hour, '2026-10-01T23:00:00.000Z', 'the newest hour')
    const seen: string[] = []
    let before: string | undefined
    do {
      const page = await records.ledger({ ...range, limit: 777, ...(before !== undefined && { before }) }, WHOLE)
      for (const { camera, hour, framesIn } of page.items) seen.push(`${hour} ${camera} ${framesIn}`)
      before = page.next
    } while (before !== undefined && seen.length < 10_000)
    t.equal(seen.length, 7_200, 'more than one answer may have')
    t.same(
      seen,
      hours
        .flatMap((hour) => cameras.map((camera) => `${new Date(hour).toISOString()} ${camera} 3`))
        .sort()
        .reverse(),
      'each entry once, in order',
    )
    await t.rejects(records.ledger({ ...range, limit: 5, before: 'x' }, WHOLE), { code: 'ALPR_ERR_REQUEST_INVALID' })
  })

  t.test('more reads in one millisecond than one answer may have', async (t) => {
    const at = TS + 5_000_000
    const reads = Array.from({ length: 6_000 }, (_, n) =>
      aRead({ readId: String(100_000 + n), ts: at, tsLast: at, camera: 'c9', only: true }),
    )
    await writer.write({ reads, hits: [], ledger: [] })
    const seen = new Set<string>()
    let before: string | undefined
    do {
      const page = await records.reads({ limit: 1_000, camera: 'c9', ...(before !== undefined && { before }) }, WHOLE)
      for (const { readId } of page.items) seen.add(readId)
      before = page.next
    } while (before !== undefined && seen.size < 10_000)
    t.equal(seen.size, 6_000)
  })

  t.test('pictures', async (t) => {
    const pictures = await SegmentWriter.open(crops, 'e1')
    const ref = await pictures.append(TS, Buffer.from('picture'))
    await pictures.close()
    t.same(Buffer.from(await records.picture(ref)), Buffer.from('picture'))
    await t.rejects(records.picture({ ...ref, offset: ref.offset + 1 }), { code: 'ALPR_ERR_CROP_CORRUPT' })
    await t.rejects(records.picture({ ...ref, segment: '../secrets.json' }), { code: 'ALPR_ERR_NOT_FOUND' })
    await t.rejects(records.picture({ ...ref, segment: '2020-W01-e1.crops' }), { code: 'ALPR_ERR_NOT_FOUND' })
  })

  t.test('a store that is away is said to be away, and is used again when it is back', async (t) => {
    await records.ping()
    await store.kill()
    await t.rejects(records.ping(), { code: 'ALPR_ERR_STORE_UNAVAILABLE' })
    await t.rejects(records.reads({ limit: 1 }, WHOLE), { code: 'ALPR_ERR_STORE_UNAVAILABLE' })
    await store.restart()
    await records.ping()
    t.equal((await records.reads({ limit: 1 }, WHOLE)).items.length, 1)
  })
})

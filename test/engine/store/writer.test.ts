import t from 'tap'
import fc from 'fast-check'
import type { Hit } from '../../../engine/model/hit.js'
import type { LedgerRow } from '../../../engine/model/ledger.js'
import { StoreQueries } from '../../../engine/store/queries.js'
import { migrate, SCHEMA_VERSION } from '../../../engine/store/migrate.js'
import type { StoredRead } from '../../../engine/store/tables.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { startTestStore } from '../../servers/store.js'
import { aLedgerRow, aRead } from './rows.js'

t.test('written rows can be read back', async (t) => {
  const store = await startTestStore(t)
  const { client } = store
  await Promise.all([migrate(client, 'p'), migrate(store.connect(), 'p')])
  await migrate(client, 'p')
  const writer = new StoreWriter(client, 'p')
  const queries = new StoreQueries(client, 'p')

  t.test('two processes may migrate at once', async (t) => {
    const result = await client.query({
      query: 'SELECT version FROM p.schema_version FINAL ORDER BY version',
      format: 'JSONEachRow',
    })
    t.same(
      await result.json(),
      Array.from({ length: SCHEMA_VERSION }, (_, i) => ({ version: i + 1 })),
    )
  })

  t.test('any read and hit is stored as far as its column types can represent it', async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(reads, { minLength: 1, maxLength: 30 }),
        fc.array(hits, { maxLength: 10 }),
        async (some, found) => {
          await writer.write({ reads: some, hits: found, ledger: [] })
          const stored = new Map((await queries.latestReads({ limit: 5_000 })).map((read) => [read.readId, read]))
          for (const read of some) t.same(comparable(stored.get(read.readId)), comparable(asStored(read)))
          const latest = await queries.latestHits({ limit: 5_000 })
          for (const hit of unique(found, (one) => one.hitId))
            t.same(comparable(latest.find((one) => one.hitId === hit.hitId)), comparable(hit))
        },
      ),
      { numRuns: 8 },
    )
  })

  t.test('a repeated batch changes nothing, a higher version replaces the read', async (t) => {
    const before = await queries.count('reads')
    const read = aRead({ readId: '77', version: 3 })
    for (let time = 0; time < 3; time++) await writer.write({ reads: [read], hits: [], ledger: [] })
    await writer.write({ reads: [{ ...read, version: 5, plate: '8BBB222' }], hits: [], ledger: [] })
    await writer.write({ reads: [{ ...read, version: 4, plate: '8CCC333' }], hits: [], ledger: [] })
    t.equal(await queries.count('reads'), before + 1)
    t.match(await queries.readById('77', read.ts), { version: 5, plate: '8BBB222' })
  })

  t.test('the ledger adds up parts and keeps the highest version of each', async (t) => {
    const rows: LedgerRow[] = [
      aLedgerRow({ part: 1, framesIn: 10, withReads: 10, version: 10 }),
      aLedgerRow({ part: 1, framesIn: 12, withReads: 12, version: 12 }),
      aLedgerRow({ part: 20, framesIn: 5, withReads: 5, version: 25 }),
    ]
    for (const row of rows) await writer.write({ reads: [], hits: [], ledger: [row] })
    t.match(await queries.ledger({ camera: 'c1', limit: 1, from: rows[0]!.hour, until: rows[0]!.hour + 1 }), [
      { framesIn: 17, withReads: 17, part: 1, version: 25 },
    ])
  })

  t.test('values out of range do not fail a batch', async (t) => {
    await writer.write({
      reads: [
        aRead({
          readId: '991',
          lat: NaN,
          lon: 1e9,
          confidence: Infinity,
          ts: -5,
          tsLast: 9e15,
          version: 1,
          plate: 'x'.repeat(100_000),
        }),
      ],
      hits: [],
      ledger: [],
    })
    t.match(await queries.readById('991'), { lat: 0, lon: 999.999999, confidence: 0, ts: 0 })
  })

  t.test('an invalid id is refused with its field, before any row is sent', async (t) => {
    const before = await queries.count('reads')
    await t.rejects(writer.write({ reads: [aRead({ readId: '992' }), aRead({ readId: 'x' })], hits: [], ledger: [] }), {
      code: 'ALPR_ERR_ROW_INVALID',
      details: { field: 'reads.read_id' },
    })
    t.equal(await queries.count('reads'), before)
  })

  t.test('one batch may span more weeks than an insert takes by default', async (t) => {
    const many = Array.from({ length: 10_000 }, (_, index) =>
      aRead({
        readId: String(1_000_000 + index),
        ts: Date.UTC(2022, 0, 1) + index * 7_000_000,
        camera: `c${index % 50}`,
      }),
    )
    const before = await queries.count('reads')
    const start = Date.now()
    await writer.write({ reads: many, hits: [], ledger: [] })
    t.comment(`${many.length} reads over 115 weeks in ${Date.now() - start} ms`)
    t.equal(await queries.count('reads'), before + many.length)
    const latest = await queries.latestReads({ limit: 100, after: { time: Date.UTC(2022, 6, 1), id: '0' } })
    t.equal(latest.length, 100)
    t.ok(
      latest.every((read, index) => read.ts < (latest[index - 1]?.ts ?? Date.UTC(2022, 6, 1))),
      'newest first',
    )
    await t.rejects(queries.latestReads({ limit: 5_001 }), { code: 'ALPR_ERR_REQUEST_INVALID' })
  })
})

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const time = fc.integer({ min: Date.UTC(2026, 0, 1), max: Date.UTC(2026, 0, 10) })
const float = fc.float({ noNaN: true, noDefaultInfinity: true })
const alternates = fc.array(fc.record({ plate: text, confidence: float }), { maxLength: 5 })
const crop = fc.option(
  fc.record({
    segment: fc.constantFrom('2026-W01-a.crops', '2026-W02-b.crops'),
    offset: fc.nat({ max: 2 ** 40 }),
    length: fc.nat(),
  }),
  { nil: undefined },
)
/** Unique, and spread over the whole range of 64 bits. */
let ids = 0n
const readId = fc.constant(0).map(() => String(BigInt.asUintN(64, ++ids * 0x9e3779b97f4a7c15n)))
const reads: fc.Arbitrary<StoredRead> = fc
  .record({
    readId,
    version: fc.nat(),
    plate: text,
    confidence: float,
    alternates,
    region: text,
    camera: text,
    ts: time,
    tsLast: time,
    lat: fc.double({ min: -90, max: 90, noNaN: true }),
    lon: fc.double({ min: -180, max: 180, noNaN: true }),
    heading: fc.option(float, { nil: undefined }),
    direction: fc.constantFrom('approaching', 'leaving', 'still', 'unknown'),
    frames: fc.nat(),
    quality: fc.record({ heightPx: float, sharpness: float, contrast: float, glare: float }),
    crop,
    gap: fc.option(fc.constantFrom(0, 30_000), { nil: undefined }),
    module: text,
    model: text,
    lists: text,
    feed: text,
  })
  .map(({ gap, ...read }) => ({
    ...read,
    ...(read.crop &&
      gap !== undefined && {
        picture: { segment: read.crop.segment, offset: read.crop.offset + read.crop.length + gap, length: 1 + gap },
      }),
  }))
const iso = time.map((ms) => new Date(ms).toISOString())
const hits: fc.Arbitrary<Hit> = fc.record({
  hitId: fc.uuid(),
  revision: fc.nat(),
  state: fc.constantFrom('possible', 'withdrawn'),
  readId,
  plate: text,
  confidence: float,
  alternates,
  region: text,
  listedPlate: text,
  list: text,
  listName: text,
  listVersion: text,
  listLoadedAt: iso,
  reason: text,
  priority: fc.constantFrom('high', 'medium', 'low', 'informational'),
  exact: fc.boolean(),
  probability: float,
  tolerated: fc.array(fc.record({ position: fc.nat(255), read: text, listed: text, probability: float }), {
    maxLength: 3,
  }),
  camera: text,
  cameraName: text,
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lon: fc.double({ min: -180, max: 180, noNaN: true }),
  heading: fc.option(float, { nil: undefined }),
  direction: text,
  ts: iso,
  tsLast: iso,
  publishedAt: iso,
  crop,
  picture: crop,
  module: text,
  model: text,
})

/** A read with the digits that are stored, computed independently of the encoder. */
function asStored(read: StoredRead): StoredRead {
  const digits = (value: number, scale: number, most: number) =>
    Math.max(
      -most,
      Math.min(
        most,
        Math.round(Number.isFinite(value * 10 ** scale) ? value * 10 ** scale : Math.sign(value) * most * 10 ** scale) /
          10 ** scale,
      ),
    )
  const whole = (value: number, most: number) => Math.max(0, Math.min(most, value))
  return {
    ...read,
    frames: read.version,
    confidence: digits(read.confidence, 3, 9.999),
    tsLast: Math.max(read.ts, read.tsLast),
    lat: digits(read.lat, 6, 999.999999),
    lon: digits(read.lon, 6, 999.999999),
    alternates: read.alternates
      .filter(({ confidence }) => confidence >= 0.005)
      .map(({ plate, confidence }) => ({ plate, confidence: digits(confidence, 3, 9.999) })),
    ...(read.heading !== undefined && { heading: whole(Math.round(read.heading) % 360, 65_535) }),
    quality: {
      heightPx: whole(Math.round(read.quality.heightPx), 65_535),
      sharpness: digits(read.quality.sharpness, 2, 9.99),
      contrast: digits(read.quality.contrast, 2, 9.99),
      glare: digits(read.quality.glare, 2, 9.99),
    },
  }
}

/** Numbers stored as Float32: the store returns their shortest decimal form. */
const SINGLE = new Set(['confidence', 'probability', 'heading', 'heightPx', 'sharpness', 'contrast', 'glare'])
/** Through JSON, because -0 comes back as 0, and an undefined value as an absent one. */
const comparable = (row: object | undefined): unknown =>
  JSON.parse(JSON.stringify(row ?? null), (key, value: unknown) =>
    SINGLE.has(key) && typeof value === 'number' ? Math.fround(value) : value,
  )

function unique<T>(list: T[], key: (value: T) => string): T[] {
  return [...new Map(list.map((one) => [key(one), one])).values()]
}

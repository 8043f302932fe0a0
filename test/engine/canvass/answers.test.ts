import assert from 'node:assert/strict'
import t from 'tap'
import fc from 'fast-check'
import type { QuestionKind } from '../../../engine/canvass/questions.js'
import type { Records } from '../../../engine/records/records.js'
import { ACCESS, testRecords } from '../records/test_records.js'
import type { PlateSearch } from '../../../engine/plate_search/candidates.js'
import { migrate } from '../../../engine/store/migrate.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { cellOf } from '../../../engine/geo/cell.js'
import { startTestStore } from '../../servers/store.js'
import { CAMERAS, cityRows, HOUR, iso, START } from './city.js'
import { canonical, finalRows, groupBy, matching, metres, type OracleFilter } from './oracle.js'

const RUNS = Number(process.env.CANVASS_RUNS ?? 12)
// Hundreds of questions, each asked of the store.
t.setTimeout(900_000)

t.test('every answer equals the oracle over the same rows', async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  const stored = cityRows(1_500)
  const writer = new StoreWriter(store.client, 'p')
  // Versions apart, and in several parts, so that FINAL has something to do.
  for (const version of [1, 2])
    await writer.write({ reads: stored.filter((row) => row.version === version), hits: [], ledger: [] })
  const rows = finalRows(stored)
  const records = testRecords({ client: store.client, database: 'p' })
  const ask = (kind: QuestionKind, input: object) => pagesOf(records, kind, input)

  t.test('canvass', async (_t) => {
    await fc.assert(
      fc.asyncProperty(filters, fc.integer({ min: 1, max: 7 }), async (filter, limit) => {
        const expected = [...groupBy(matching(rows, filter), (row) => row.plate)]
          .map(([plate, of]) => {
            const best = of.reduce((a, b) =>
              b.confidence > a.confidence || (b.confidence === a.confidence && BigInt(b.readId) > BigInt(a.readId))
                ? b
                : a,
            )
            return {
              plate,
              region: best.region,
              count: of.length,
              first: iso(Math.min(...of.map((row) => row.ts))),
              last: iso(Math.max(...of.map((row) => row.tsLast))),
              best: best.readId,
            }
          })
          .sort((a, b) => (a.first === b.first ? (a.plate < b.plate ? -1 : 1) : a.first < b.first ? -1 : 1))
        const found = await ask('canvass', { ...filter, limit })
        assert.deepEqual(
          found.map(({ plate, region, count, first, last, best }) => ({
            plate,
            region,
            count,
            first,
            last,
            best: best.readId,
          })),
          expected,
        )
      }),
      { numRuns: RUNS },
    )
  })

  t.test('canvass, pattern first', async (t) => {
    // A search that costs nothing: the planner takes it whenever it may.
    const eager: PlateSearch = {
      name: 'dictionary',
      cost: async () => ({ ms: -1, isOverBudget: false }),
      async *pages() {
        /* only the planner asks */
      },
      search: async ({ source, lookAlikes }) => ({
        plates: [...new Set(rows.map((row) => row.plate))]
          .filter(
            (plate) =>
              matching([{ ...rows[0]!, plate }], {
                windows: [{ from: iso(0), to: iso(9e12) }],
                pattern: source.split('@')[0]!,
                lookAlikes,
              }).length > 0,
          )
          .map((plate) => ({ plate, probability: 1 })),
        more: false,
        partial: false,
        scanned: 1,
        of: 1,
      }),
    }
    const first = testRecords({
      client: store.client,
      database: 'p',
      search: eager,
      costs: { row: 1, plate: 0, query: 0 },
    })
    let ways = 0
    await fc.assert(
      fc.asyncProperty(filters, patterns, async (some, pattern) => {
        const filter = {
          ...some,
          pattern,
          windows: [{ from: iso(START - 3 * 24 * HOUR), to: iso(START + 6 * 24 * HOUR) }],
        }
        const answer = await first.ask(ACCESS, 'canvass', { ...filter, limit: 5_000, explain: true })
        if ((answer.plan!.facts.way as { chosen: string }).chosen === 'pattern first') ways++
        const expected = groupBy(matching(rows, filter), (row) => row.plate)
        assert.deepEqual(
          (answer.items as { plate: string; count: number }[]).map(({ plate, count }) => [plate, count]).sort(),
          [...expected].map(([plate, of]) => [plate, of.length]).sort(),
        )
        // A timeline wants what the index by plate does not have.
        const { items: days } = await first.ask(ACCESS, 'timeline', { ...filter, step: '1d', limit: 5_000 })
        assert.deepEqual(
          (days as { reads: number }[]).reduce((sum, { reads }) => sum + reads, 0),
          matching(begun(filter), { windows: filter.windows, pattern }).length,
        )
      }),
      { numRuns: RUNS },
    )
    t.ok(ways > 0, `${ways} answers were found pattern first`)
  })

  t.test('history', async (_t) => {
    const { pattern: _, lookAlikes: __, ...plain } = filterParts
    await fc.assert(
      fc.asyncProperty(
        fc.record(plain, { requiredKeys: ['windows'] }),
        fc.constantFrom('7ABC123', '8BBB888', 'NONE1'),
        fc.boolean(),
        fc.integer({ min: 3, max: 50 }),
        async (filter, plate, misreads, limit) => {
          const clean = defined(filter)
          const expected = matching(rows, clean as OracleFilter)
            .filter((row) => row.plate === plate || (misreads && misreadsOf(rows, plate).has(row.plate)))
            .sort((a, b) => b.ts - a.ts || Number(BigInt(b.readId) - BigInt(a.readId)))
          const found = await ask('history', {
            ...clean,
            plate: ` ${plate.toLowerCase()}-`,
            misreads,
            minProbability: 0,
            limit,
          })
          assert.deepEqual(
            found.map(({ readId }) => readId),
            expected.map(({ readId }) => readId),
          )
          found.forEach((item, index) => {
            assert.ok(item.probability > 0 && item.probability <= 1)
            assert.equal(item.probability === 1, item.plate === plate)
            const before = expected[index + 1]
            if (!before) return assert.ok(!item.leg)
            const now = expected[index]!
            assert.equal(item.leg.gapS, (now.ts - before.tsLast) / 1_000)
            assert.equal(item.leg.distanceM, Math.round(metres(before, now)))
            assert.equal(
              item.leg.impossible,
              metres(before, now) > 500 &&
                (now.ts <= before.tsLast || (metres(before, now) / (now.ts - before.tsLast)) * 3_600 > 250),
            )
          })
        },
      ),
      { numRuns: RUNS },
    )
  })

  t.test('scenes', async (_t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record(sceneParts, { requiredKeys: ['windows'] }), { minLength: 2, maxLength: 4 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        fc.option(patterns, { nil: undefined }),
        async (some, misreads, least, pattern) => {
          const scenes = some.map(defined)
          const atLeast = Math.min(least, scenes.length)
          const key = misreads ? canonical : (plate: string) => plate
          const seen = scenes.map((scene) =>
            groupBy(matching(rows, { ...(scene as OracleFilter), ...(pattern !== undefined && { pattern }) }), (row) =>
              key(row.plate),
            ),
          )
          const vehicles = [...new Set(seen.flatMap((scene) => [...scene.keys()]))]
            .map((vehicle) => ({
              vehicle,
              at: seen.flatMap((scene, index) => (scene.has(vehicle) ? [index] : [])),
              count: seen.reduce((sum, scene) => sum + (scene.get(vehicle)?.length ?? 0), 0),
            }))
            .filter(({ at }) => at.length >= atLeast)
            .sort((a, b) => b.at.length - a.at.length || b.count - a.count || (a.vehicle < b.vehicle ? -1 : 1))
          const found = await ask('scenes', {
            scenes,
            atLeast,
            misreads,
            ...(pattern !== undefined && { pattern }),
            limit: 3,
          })
          assert.deepEqual(
            found.map(({ plate, scenes: at, count }) => ({
              vehicle: key(plate),
              at: at.map(({ scene }: { scene: number }) => scene),
              count,
            })),
            vehicles,
          )
        },
      ),
      { numRuns: RUNS },
    )
  })

  t.test('nearby', async (_t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(rows.length - 1),
        fc.constantFrom(1, 30, 60, 3_600),
        fc.option(fc.constantFrom(1, 600, 5_000), { nil: undefined }),
        fc.boolean(),
        async (index, withinS, radiusM, withTime) => {
          const read = rows[index]!
          const expected = rows
            .filter(
              (row) =>
                row !== read &&
                Math.abs(row.ts - read.ts) <= withinS * 1_000 &&
                (radiusM === undefined
                  ? row.camera === read.camera && (withinS > 60 || metres(row, read) <= 5_000)
                  : metres(row, read) <= radiusM),
            )
            .sort(
              (a, b) =>
                Math.abs(a.ts - read.ts) - Math.abs(b.ts - read.ts) || Number(BigInt(a.readId) - BigInt(b.readId)),
            )
          const found = await ask('nearby', {
            readId: read.readId,
            withinS,
            ...(withTime && { ts: iso(read.ts) }),
            ...(radiusM && { radiusM }),
            limit: 2,
          })
          assert.deepEqual(
            found.map((item) => [item.readId, item.offsetS]),
            expected.map((row) => [row.readId, (row.ts - read.ts) / 1_000]),
          )
        },
      ),
      { numRuns: RUNS },
    )
  })

  t.test('timeline', async (_t) => {
    await fc.assert(
      fc.asyncProperty(filters, fc.constantFrom('1m', '1h', '1d'), async (filter, step) => {
        const ms = { '1m': 60_000, '1h': HOUR, '1d': 24 * HOUR }[step as '1m']!
        const expected = [...groupBy(begun(filter), (row) => `${iso(Math.floor(row.ts / ms) * ms)} ${row.camera}`)]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, of]) => [
            key,
            of.length,
            Math.round((of.reduce((sum, row) => sum + row.quality.heightPx, 0) / of.length) * 1e4) / 1e4,
          ])
        assert.deepEqual(
          (await ask('timeline', { ...filter, step, limit: 50 })).map((item) => [
            `${item.time} ${item.camera}`,
            item.reads,
            item.heightPx,
          ]),
          expected,
        )
      }),
      { numRuns: RUNS },
    )
  })

  t.test('heat', async (_t) => {
    await fc.assert(
      fc.asyncProperty(filters, fc.boolean(), async (filter, hourly) => {
        const found = await ask('heat', { ...filter, by: hourly ? 'hour' : 'whole', limit: 50 })
        const all = begun(filter)
        assert.equal(
          found.reduce((sum, item) => sum + item.reads, 0),
          all.length,
        )
        for (const item of found) {
          const own = all.filter(
            (row) =>
              cellOf(row.lat, row.lon) === item.cell &&
              (!hourly || iso(Math.floor(row.ts / HOUR) * HOUR) === item.time),
          )
          assert.deepEqual([item.reads, item.plates], [own.length, new Set(own.map((row) => row.plate)).size])
        }
      }),
      { numRuns: RUNS },
    )
  })

  t.test('look-back', async (_t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.subarray([...new Set(rows.map((row) => row.plate)), 'NOBODY'], { minLength: 1 }),
        windows,
        fc.constantFrom('few', 'misreads', 'many'),
        async (some, of, how) => {
          const misreads = how === 'misreads'
          // For many plates the keys of the latest reads are selected first.
          const plates =
            how === 'many' ? [...some, ...Array.from({ length: 150 }, (_, index) => `FILLER${index}`)] : some
          const texts = new Set(misreads ? plates.flatMap((plate) => [plate, ...misreadsOf(rows, plate)]) : plates)
          const expected = matching(rows, { windows: of })
            .filter((row) => texts.has(row.plate))
            .sort((a, b) => b.ts - a.ts || Number(BigInt(b.readId) - BigInt(a.readId)))
          const found = await ask('look-back', { plates, windows: of, misreads, minProbability: 0, limit: 40 })
          assert.deepEqual(
            found.map(({ readId }) => readId),
            expected.map(({ readId }) => readId),
          )
          assert.ok(
            found.every(
              (item) =>
                plates.includes(item.listedPlate) &&
                (plates.includes(item.plate)
                  ? item.listedPlate === item.plate && item.probability === 1
                  : item.probability < 1),
            ),
          )
        },
      ),
      { numRuns: RUNS },
    )
  })

  t.test('convoy', async (_t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('7ABC123', 'XYZ9', '8BBB888'),
        fc.constantFrom(1, 30, 600),
        fc.integer({ min: 2, max: 6 }),
        windows,
        async (plate, gapS, minMeetings, of) => {
          const own = matching(rows, { windows: of }).filter((row) => row.plate === plate)
          const expected = [
            ...groupBy(
              rows.filter((row) => row.plate !== plate),
              (row) => row.plate,
            ),
          ]
            .map(
              ([other, theirs]) =>
                [
                  other,
                  own.filter((sight) =>
                    theirs.some((row) => row.camera === sight.camera && Math.abs(row.ts - sight.ts) <= gapS * 1_000),
                  ).length,
                ] as const,
            )
            .filter(([, meetings]) => meetings >= minMeetings && own.length >= minMeetings)
            .sort()
          const found = await ask('convoy', { plate, windows: of, gapS, minMeetings, limit: 2 })
          assert.deepEqual(found.map(({ plate: other, meetings }) => [other, meetings]).sort(), expected)
          assert.ok(
            found.every(
              (item, index) =>
                item.score >= 0 && item.expected >= 0 && item.score <= (found[index - 1]?.score ?? Infinity),
            ),
            'the most significant first',
          )
        },
      ),
      { numRuns: RUNS },
    )
  })

  /** A timeline counts a read when it begins. */
  function begun(filter: OracleFilter) {
    return matching(rows, filter).filter((row) =>
      filter.windows.some(({ from, to }) => row.ts >= Date.parse(from) && row.ts < Date.parse(to)),
    )
  }
})

/** All pages of an answer, joined. */
async function pagesOf(records: Records, kind: QuestionKind, input: object): Promise<any[]> {
  const items: unknown[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await records.ask(ACCESS, kind, { ...input, ...(cursor && { cursor }) })
    items.push(...page.items)
    if (page.next === undefined) return items
    cursor = page.next
  }
}

/** Texts within one misread of a plate, look-alikes free. */
function misreadsOf(rows: readonly { plate: string }[], plate: string): Set<string> {
  const filter = { windows: [{ from: iso(0), to: iso(9e12) }], pattern: `${plate}~1` }
  const base = { ...cityRows(1)[0]!, ts: 0, tsLast: 9e12 }
  return new Set(
    [...new Set(rows.map((row) => row.plate))].filter(
      (text) => text !== plate && matching([{ ...base, plate: text }], filter).length > 0,
    ),
  )
}

/** Times and places on the very edges that reads lie on, more often than beside them. */
const instant = fc
  .tuple(fc.integer({ min: -24, max: 264 }), fc.constantFrom(0, 30_000, 60_000, 1, -1, 12_345))
  .map(([hours, more]) => START + hours * HOUR + more)
const windows = fc
  .array(fc.tuple(instant, fc.constantFrom(1, 40 * 60_000, 12 * HOUR, 100 * HOUR)), { minLength: 1, maxLength: 3 })
  .map((list) => list.map(([from, length]) => ({ from: iso(from), to: iso(from + length) })))
const near = fc.constantFrom(...CAMERAS)
const circle = fc
  .tuple(near, near, fc.constantFrom(0, 1e-3, -1e-3, 100))
  .map(([a, b, more]) => ({ circle: { lat: a.lat, lon: a.lon, radiusM: Math.max(1e-2, metres(a, b) + more) } }))
const seaCircle = fc
  .record({
    lat: fc.constantFrom(10, 10.02),
    lon: fc.constantFrom(179.999, -179.999, 180, -180),
    radiusM: fc.constantFrom(1, 600, 2_000, 1_000_000),
  })
  .map((one) => ({ circle: one }))
const box = fc
  .tuple(near, near)
  .filter(([a, b]) => a.lat !== b.lat && a.lon !== b.lon)
  .map(([a, b]) => ({
    polygon: [
      [a.lon, a.lat],
      [b.lon, a.lat],
      [b.lon, b.lat],
      [a.lon, b.lat],
    ] as [number, number][],
  }))
const triangle = fc.constant({
  polygon: [
    [-122.42, 37.7],
    [-122.402, 37.7],
    [-122.411, 37.709],
    [-122.42, 37.7],
  ] as [number, number][],
})
const seaBox = fc.constantFrom(179.995, 179.9999).map((west) => ({
  polygon: [
    [west, 9.99],
    [-179.99, 9.99],
    [-179.99, 10.025],
    [west, 10.025],
  ] as [number, number][],
}))
const cameras = fc
  .subarray([...CAMERAS.map(({ id }) => id), 'car-1', 'cam-unknown'], { minLength: 1, maxLength: 3 })
  .map((list) => ({ cameras: list }))
const places = fc.array(fc.oneof(circle, seaCircle, box, triangle, seaBox, cameras), { maxLength: 3 })
const patterns = fc.constantFrom(
  '7?B*',
  '*8*',
  '[78]*',
  '7ABC123~1',
  '7ABC12~2',
  '*4',
  '???',
  'B&7',
  '1&7A',
  '*@CA',
  '7*@CA,NV',
  '0000000',
  'X??9',
  '7[A-F]*',
)
const sceneParts = {
  windows,
  places,
  daily: fc.option(
    fc.record({
      from: fc.constantFrom('22:00', '00:00', '13:30'),
      to: fc.constantFrom('02:00', '06:15', '23:59'),
      zone: fc.constantFrom('UTC', 'America/Los_Angeles', 'Asia/Kathmandu'),
    }),
    { nil: undefined, freq: 3 },
  ),
}
const filterParts = {
  ...sceneParts,
  pattern: fc.option(patterns, { nil: undefined }),
  lookAlikes: fc.boolean(),
  regions: fc.option(fc.subarray(['CA', 'NV'], { minLength: 1 }), { nil: undefined, freq: 2 }),
  direction: fc.option(fc.constantFrom('approaching', 'leaving'), { nil: undefined, freq: 2 }),
  minConfidence: fc.option(fc.constantFrom(0.5, 0.75, 0.9, 1), { nil: undefined, freq: 2 }),
}
const defined = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const filters = fc.record(filterParts).map(defined) as fc.Arbitrary<OracleFilter>

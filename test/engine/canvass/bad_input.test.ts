import t from 'tap'
import { questionList, type QuestionKind } from '../../../engine/canvass/questions.js'
import { ACCESS, testRecords } from '../records/test_records.js'
import { ringOf } from '../../../engine/geo/area.js'
import { coverOf, ringHolds } from '../../../engine/geo/cover.js'
import { sql, value } from '../../../engine/store/sql.js'
import { AlprError } from '../../../engine/errors.js'
import { cellOf } from '../../../engine/geo/cell.js'
import { migrate } from '../../../engine/store/migrate.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { startTestStore } from '../../servers/store.js'
import { cityRows, random } from './city.js'
import { HERE, PLAIN, spyClient, WINDOW, type Statement } from './spy.js'

t.test('input that makes no sense is refused with a code, and the store is not asked', async (t) => {
  const asked: Statement[] = []
  const records = testRecords({ client: spyClient(asked), database: 'p' })
  const circle = (radiusM: unknown) => [{ circle: { ...HERE, radiusM } }]
  const cases: [object, string][] = [
    [{ places: circle(0) }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ places: circle(-1) }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ places: circle(1_000_001) }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ places: circle('5') }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ places: circle(NaN) }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ places: [{ circle: { lat: 91, lon: 0, radiusM: 5 } }] }, 'ALPR_ERR_REQUEST_INVALID'],
    [
      {
        places: [
          {
            polygon: [
              [0, 0],
              [1, 1],
            ],
          },
        ],
      },
      'ALPR_ERR_REQUEST_INVALID',
    ],
    [
      {
        places: [
          {
            polygon: [
              [0, 0],
              [1, 1],
              [0, 0],
            ],
          },
        ],
      },
      'ALPR_ERR_AREA_INVALID',
    ],
    [
      {
        places: [
          {
            polygon: [
              [0, 0],
              [1, 1],
              [1, 0],
              [0, 1],
            ],
          },
        ],
      },
      'ALPR_ERR_AREA_INVALID',
    ],
    [
      {
        places: [
          {
            polygon: [
              [0, 0],
              [2, 0],
              [1, 0],
            ],
          },
        ],
      },
      'ALPR_ERR_AREA_INVALID',
    ],
    [
      {
        places: [
          {
            polygon: [
              [0, 0],
              [4, 0],
              [4, 4],
              [2, 0],
              [0, 4],
            ],
          },
        ],
      },
      'ALPR_ERR_AREA_INVALID',
    ],
    [
      {
        places: [{ polygon: Array.from({ length: 10_000 }, (_, i) => [Math.cos(i / 1_591.6), Math.sin(i / 1_591.6)]) }],
      },
      'ALPR_ERR_AREA_INVALID',
    ],
    [{ places: [{ polygon: Array.from({ length: 100_000 }, () => [1, 1]) }] }, 'ALPR_ERR_REQUEST_INVALID'],
    [
      {
        places: [
          {
            polygon: [
              [-170, 80],
              [-60, 80],
              [60, 80],
              [170, 80],
            ],
          },
        ],
      },
      'ALPR_ERR_AREA_INVALID',
    ],
    [{ places: Array.from({ length: 17 }, () => circle(5)[0]) }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ places: [{ cameras: [] }] }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ places: [{ cameras: ["x'; DROP TABLE reads; --"] }] }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ places: [{}] }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ windows: [] }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ windows: [{ from: WINDOW[0]!.to, to: WINDOW[0]!.from }] }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ windows: [{ from: WINDOW[0]!.from, to: WINDOW[0]!.from }] }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ windows: [{ from: '2016-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }] }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ windows: [{ from: '2026-02-30T00:00:00', to: '2026-03-01T00:00:00Z' }] }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ windows: [{ from: '2026-02-30T00:00:00Z', to: '2026-03-03T00:00:00Z' }] }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ windows: [{ from: '2026-05-01T00:00:00Z', to: '2026-05-01T24:00:00Z' }] }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ windows: [{ from: 'yesterday', to: 'now' }] }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ windows: [{ from: '2026-01-01T00:00:00Z', to: '2026-06-01T00:00:00Z' }] }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ daily: { from: '22:00', to: '22:00' } }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ daily: { from: '24:00', to: '02:00' } }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ daily: { from: '22:00', to: '02:00', zone: "UTC') OR 1 --" } }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ daily: { from: '22:00', to: '02:00', zone: '+02:00' } }, 'ALPR_ERR_WINDOW_INVALID'],
    [{ pattern: '' }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ pattern: '[8' }, 'ALPR_ERR_PATTERN_INVALID'],
    [{ pattern: '7~9' }, 'ALPR_ERR_PATTERN_INVALID'],
    [{ pattern: '?'.repeat(40) }, 'ALPR_ERR_PATTERN_TOO_LONG'],
    [{ limit: 0 }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ limit: 5_001 }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ unknown: 1 }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ minConfidence: 2 }, 'ALPR_ERR_REQUEST_INVALID'],
    [{ cursor: 'nonsense' }, 'ALPR_ERR_CURSOR_FOREIGN'],
    [{ cursor: Buffer.from('["x",1,"y"]').toString('base64url') }, 'ALPR_ERR_CURSOR_FOREIGN'],
  ]
  for (const [change, code] of cases) {
    await t.rejects(
      records.ask(ACCESS, 'canvass', { ...PLAIN.canvass, ...change }),
      { code },
      JSON.stringify(change).slice(0, 120),
    )
  }
  for (const input of [null, 5, 'x', [], { windows: WINDOW, extra: { limit: 5 } }])
    await records
      .ask(ACCESS, 'canvass', input)
      .catch((error: AlprError) => t.equal(error.code, 'ALPR_ERR_REQUEST_INVALID'))
  await t.rejects(records.ask(ACCESS, 'toString' as QuestionKind, {}), { code: 'ALPR_ERR_NOT_FOUND' })
  await t.rejects(records.ask(ACCESS, 'history', { ...PLAIN.history, plate: '---' }), {
    code: 'ALPR_ERR_REQUEST_INVALID',
  })
  await t.rejects(
    records.ask(ACCESS, 'look-back', {
      ...PLAIN['look-back'],
      plates: Array.from({ length: 101 }, (_, i) => `P${i}`),
      misreads: true,
    }),
    { code: 'ALPR_ERR_REQUEST_INVALID' },
  )
  await t.rejects(records.ask(ACCESS, 'scenes', { ...PLAIN.scenes, atLeast: 3 }), { code: 'ALPR_ERR_REQUEST_INVALID' })
  await t.rejects(records.ask(ACCESS, 'nearby', { readId: '1 OR 1=1' }), { code: 'ALPR_ERR_REQUEST_INVALID' })
  const looked = asked.filter(({ query }) => !query.includes('p.purges'))
  t.equal(looked.length, 0, 'the store was asked for the weeks purged, and for nothing else')
})

t.test('no text from outside becomes SQL', async (t) => {
  const evil = "x') OR 1=1; DROP TABLE p.reads; -- \\ {p0:String} `"
  const asked: Statement[] = []
  const records = testRecords({ client: spyClient(asked), database: 'p' })
  for (const [kind, input] of Object.entries(PLAIN) as [QuestionKind, Record<string, unknown>][]) {
    for (const [name, field] of Object.entries(
      questionList().find((one) => one.kind === kind)!.schema.properties as Record<
        string,
        { type?: string; items?: { type?: string } }
      >,
    )) {
      for (const text of [evil, "x') OR 1 --"]) {
        const put =
          field.type === 'string' ? text : field.type === 'array' && field.items?.type === 'string' ? [text] : undefined
        if (put !== undefined)
          await records.ask(ACCESS, kind, { ...input, [name]: put }).catch((error: Error) => {
            if (!(error instanceof AlprError)) throw error
          })
      }
    }
  }
  t.ok(
    asked.some(({ params }) => JSON.stringify(params ?? {}).includes("X') OR 1 --")),
    'it went as a value',
  )
  for (const { query } of asked) t.notOk(/DROP|1=1|OR 1 --|7ABC123/.test(query))
  const twice = value('String', evil)
  t.same(sql`SELECT ${twice}, ${twice}`.render(), { query: 'SELECT {p0:String}, {p0:String}', params: { p0: evil } })
})

t.test('unusual areas are covered completely, with a bounded number of ranges', async (t) => {
  const next = random(11)
  for (const [name, place] of [
    [
      'over the antimeridian',
      ringOf([
        [179.9, -1],
        [-179.9, -1],
        [-179.9, 1],
        [179.9, 1],
      ]),
    ],
    [
      '2,000 corners',
      ringOf(
        Array.from(
          { length: 2_000 },
          (_, i) => [10 + Math.cos(i / 318.31), 50 + Math.sin(i / 318.31)] as [number, number],
        ),
      ),
    ],
    ['at the pole', { kind: 'circle', lat: 89.999, lon: 5, radiusM: 50_000 } as const],
    ['1,000 km', { kind: 'circle', ...HERE, radiusM: 1_000_000 } as const],
    ['one millimetre', { kind: 'circle', ...HERE, radiusM: 0.001 } as const],
    [
      'the whole western half',
      ringOf([
        [-180, -90],
        [0, -90],
        [0, 90],
        [-180, 90],
      ]),
    ],
    [
      'one centimetre high',
      ringOf([
        [-122.5, 37.7],
        [-122.3, 37.7],
        [-122.3, 37.7000001],
        [-122.5, 37.7000001],
      ]),
    ],
  ] as const) {
    const start = performance.now()
    const ranges = coverOf(place)
    t.ok(
      ranges.length >= 1 && ranges.length <= 48,
      `${name}: ${ranges.length} ranges in ${Math.round(performance.now() - start)} ms`,
    )
    for (let i = 0; i < 400; i++) {
      const at =
        place.kind === 'ring'
          ? {
              lat: place.south + next() * (place.north - place.south),
              lon: place.west + next() * (place.east - place.west),
            }
          : {
              lat: Math.min(90, place.lat + (next() - 0.5) * (place.radiusM / 111_000)),
              lon: place.lon + (next() - 0.5) * (place.radiusM / 111_000),
            }
      if (place.kind === 'ring' && !ringHolds(place, at.lon, at.lat)) continue
      const cell = cellOf(at.lat, at.lon > 180 ? at.lon - 360 : at.lon)
      if (!ranges.some(({ from, to }) => cell >= from && cell <= to))
        t.fail(`${name}: ${JSON.stringify(at)} lies in it and is not covered`)
    }
  }
})

t.test('against a store: cursors, cameras never seen, clients that go away', async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  await new StoreWriter(store.client, 'p').write({ reads: cityRows(300), hits: [], ledger: [] })
  const records = testRecords({ client: store.client, database: 'p' })
  const wide = { windows: [{ from: '2026-10-30T00:00:00Z', to: '2026-11-20T00:00:00Z' }] }
  const first = await records.ask(ACCESS, 'canvass', { ...wide, limit: 2 })
  t.ok(first.next)
  await t.rejects(records.ask(ACCESS, 'canvass', { ...wide, pattern: '7*', cursor: first.next }), {
    code: 'ALPR_ERR_CURSOR_FOREIGN',
  })
  await t.rejects(records.ask(ACCESS, 'heat', { ...wide, cursor: first.next }), { code: 'ALPR_ERR_CURSOR_FOREIGN' })
  t.equal(
    (await records.ask(ACCESS, 'canvass', { ...wide, limit: 3, cursor: first.next })).items.length,
    3,
    'the same question goes on, in larger pages too',
  )
  t.same((await records.ask(ACCESS, 'canvass', { ...wide, places: [{ cameras: ['cam-1', 'cam-nobody'] }] })).notes, {
    camerasNeverSeen: ['cam-nobody'],
  })
  for (const filter of [{ regions: ['CA', 'us-ca'] }, { pattern: '7*@CA,US-CA' }])
    t.same((await records.ask(ACCESS, 'canvass', { ...wide, ...filter })).notes, { regionsNeverSeen: ['US-CA'] })
  await t.rejects(records.ask(ACCESS, 'nearby', { readId: '18446744073709551615' }), { code: 'ALPR_ERR_NOT_FOUND' })
  for (const [kind, input] of Object.entries(PLAIN) as [QuestionKind, object][]) {
    const gone = AbortSignal.abort()
    await t.rejects(records.ask(ACCESS, kind, input, { signal: gone }), `${kind}, given up before it began`)
  }
  const many = Array.from({ length: 20_000 }, (_, i) => `P${i}X${i % 97}`)
  t.same(
    (await records.ask(ACCESS, 'look-back', { ...wide, plates: many })).items,
    [],
    'as many plates as there may be',
  )
  t.ok((await records.ask(ACCESS, 'look-back', { ...wide, plates: [...many.slice(1), '7ABC123'] })).items.length > 0)
  const pages = records.export(ACCESS, 'canvass', wide)
  await pages.next()
  await pages.return({})
  const explained = await records.ask(ACCESS, 'canvass', { ...wide, pattern: '7*', explain: true })
  t.match(explained.plan, { facts: { way: { chosen: /first/, why: /./ } }, queries: [{ label: 'estimate' }] })
  t.notOk(JSON.stringify(explained.plan).includes('7.*'), 'the plan shows no values')
})

import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { CanvassService, questionList, type Gate, type QuestionKind } from '../../../engine/canvass/mod.js'
import { ringOf } from '../../../engine/geo/area.js'
import { coverOf, ringHolds } from '../../../engine/geo/cover.js'
import { sql, value } from '../../../engine/store/sql.js'
import { AlprError } from '../../../engine/errors.js'
import type { ClickHouseClient } from '../../../engine/store/client.js'
import { cellOf } from '../../../engine/geo/cell.js'
import { migrate } from '../../../engine/store/migrate.js'
import { StoreWriter } from '../../../engine/store/writer.js'
import { startTestStore } from '../../servers/store.js'
import { cityRows, random } from './city.js'

const LOOK = { who: 'test' }
const WINDOW = [{ from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' }]
const HERE = { lat: 37.7, lon: -122.42 }
/** The least valid input of each question. */
const PLAIN: Record<QuestionKind, Record<string, unknown>> = {
  canvass: { windows: WINDOW },
  history: { windows: WINDOW, plate: '7ABC123' },
  scenes: { scenes: [{ windows: WINDOW }, { windows: WINDOW }] },
  convoy: { windows: WINDOW, plate: '7ABC123' },
  nearby: { readId: '1000' },
  timeline: { windows: WINDOW },
  heat: { windows: WINDOW },
  'look-back': { windows: WINDOW, plates: ['7ABC123'] },
  plates: { pattern: '7?B*' },
  preview: { windows: WINDOW, entries: 1_000 },
}

/** A client that says what was asked of it and answers with nothing. */
function spyClient(asked: { query: string; params: unknown }[]): ClickHouseClient {
  return {
    query: async ({ query, query_params }: { query: string; query_params: unknown }) => {
      asked.push({ query, params: query_params })
      return { json: async () => [] }
    },
  } as unknown as ClickHouseClient
}

t.test('nothing is asked of the store before the gate has let it pass, and the gate hears how it ended', async (t) => {
  t.same(
    Object.keys(PLAIN).sort(),
    questionList()
      .map(({ kind }) => kind)
      .sort(),
    'all questions are tried here',
  )
  for (const [kind, input] of Object.entries(PLAIN) as [QuestionKind, object][]) {
    const asked: { query: string; params: unknown }[] = []
    const events: string[] = []
    const closed: Gate = async () => {
      events.push('gate')
      throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
    }
    const shut = new CanvassService({ client: spyClient(asked), database: 'p', gate: closed })
    await t.rejects(shut.ask(LOOK, kind, input), { code: 'ALPR_ERR_AUTH_REQUIRED' })
    await t.rejects(shut.export(LOOK, kind, input).next(), { code: 'ALPR_ERR_AUTH_REQUIRED' })
    t.same([asked.length, events], [0, ['gate', 'gate']], kind)

    const heard: unknown[] = []
    const open = new CanvassService({
      client: spyClient(asked),
      database: 'p',
      gate: async (look, { kind: of, form }) => {
        heard.push([look.who, of, form, asked.length])
        return async (answered) => {
          heard.push(answered)
        }
      },
    })
    await open.ask(LOOK, kind, { ...input, explain: true }).catch(() => {})
    t.same(heard[0], ['test', kind, 'explain', 0])
    t.ok(heard.length === 2 && asked.length > 0, 'told at the beginning and at the end')
    await t.rejects(
      new CanvassService({ client: spyClient([]), database: 'p' }).ask({ who: '' }, kind, input),
      { code: 'ALPR_ERR_AUTH_REQUIRED' },
      'nobody asks without a name',
    )
  }
})

t.test('no code outside reaches a question except through CanvassService', async (t) => {
  for (const folder of ['gateway', 'cli', 'bench', 'engine']) {
    for (const file of readdirSync(folder, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.ts'))) {
      if (folder === 'engine' && file.startsWith('canvass')) continue
      for (const [, from] of readFileSync(`${folder}/${file}`, 'utf8').matchAll(/from '([^']*canvass\/[^']*)'/g)) {
        if (/routes\/canvass\.js$/.test(from!) || (folder === 'bench' && from!.startsWith('./'))) continue
        t.match(from, /engine\/canvass\/mod\.js$|^\.\.?\/canvass\/mod\.js$/, `${folder}/${file}`)
      }
    }
  }
  const uses = readdirSync('engine/canvass', { recursive: true })
    .map(String)
    .filter(
      (name) => name.endsWith('.ts') && /\bQUESTIONS\b|\.answer\(/.test(readFileSync(`engine/canvass/${name}`, 'utf8')),
    )
  t.same(uses.sort(), ['canvass_service.ts', 'export.ts', 'mod.ts', 'questions.ts'], 'the files that use the questions')
})

t.test('input that makes no sense is refused with a code, and the store is not asked', async (t) => {
  const asked: { query: string; params: unknown }[] = []
  const desk = new CanvassService({ client: spyClient(asked), database: 'p' })
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
      desk.ask(LOOK, 'canvass', { ...PLAIN.canvass, ...change }),
      { code },
      JSON.stringify(change).slice(0, 120),
    )
  }
  for (const input of [null, 5, 'x', [], { windows: WINDOW, extra: { limit: 5 } }])
    await desk.ask(LOOK, 'canvass', input).catch((error: AlprError) => t.equal(error.code, 'ALPR_ERR_REQUEST_INVALID'))
  await t.rejects(desk.ask(LOOK, 'toString' as QuestionKind, {}), { code: 'ALPR_ERR_NOT_FOUND' })
  await t.rejects(desk.ask(LOOK, 'history', { ...PLAIN.history, plate: '---' }), { code: 'ALPR_ERR_REQUEST_INVALID' })
  await t.rejects(
    desk.ask(LOOK, 'look-back', {
      ...PLAIN['look-back'],
      plates: Array.from({ length: 101 }, (_, i) => `P${i}`),
      misreads: true,
    }),
    { code: 'ALPR_ERR_REQUEST_INVALID' },
  )
  await t.rejects(desk.ask(LOOK, 'scenes', { ...PLAIN.scenes, atLeast: 3 }), { code: 'ALPR_ERR_REQUEST_INVALID' })
  await t.rejects(desk.ask(LOOK, 'nearby', { readId: '1 OR 1=1' }), { code: 'ALPR_ERR_REQUEST_INVALID' })
  const looked = asked.filter(({ query }) => !query.includes('p.purges'))
  t.equal(looked.length, 0, 'the store was asked for the weeks purged, and for nothing else')
})

t.test('no text from outside becomes SQL', async (t) => {
  const evil = "x') OR 1=1; DROP TABLE p.reads; -- \\ {p0:String} `"
  const asked: { query: string; params: unknown }[] = []
  const desk = new CanvassService({ client: spyClient(asked), database: 'p' })
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
          await desk.ask(LOOK, kind, { ...input, [name]: put }).catch((error: Error) => {
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
  const desk = new CanvassService({ client: store.client, database: 'p' })
  const wide = { windows: [{ from: '2026-10-30T00:00:00Z', to: '2026-11-20T00:00:00Z' }] }
  const first = await desk.ask(LOOK, 'canvass', { ...wide, limit: 2 })
  t.ok(first.next)
  await t.rejects(desk.ask(LOOK, 'canvass', { ...wide, pattern: '7*', cursor: first.next }), {
    code: 'ALPR_ERR_CURSOR_FOREIGN',
  })
  await t.rejects(desk.ask(LOOK, 'heat', { ...wide, cursor: first.next }), { code: 'ALPR_ERR_CURSOR_FOREIGN' })
  t.equal(
    (await desk.ask(LOOK, 'canvass', { ...wide, limit: 3, cursor: first.next })).items.length,
    3,
    'the same question goes on, in larger pages too',
  )
  t.same((await desk.ask(LOOK, 'canvass', { ...wide, places: [{ cameras: ['cam-1', 'cam-nobody'] }] })).notes, {
    camerasNeverSeen: ['cam-nobody'],
  })
  await t.rejects(desk.ask(LOOK, 'nearby', { readId: '18446744073709551615' }), { code: 'ALPR_ERR_NOT_FOUND' })
  for (const [kind, input] of Object.entries(PLAIN) as [QuestionKind, object][]) {
    const gone = AbortSignal.abort()
    await t.rejects(desk.ask(LOOK, kind, input, { signal: gone }), `${kind}, given up before it began`)
  }
  const many = Array.from({ length: 20_000 }, (_, i) => `P${i}X${i % 97}`)
  t.same((await desk.ask(LOOK, 'look-back', { ...wide, plates: many })).items, [], 'as many plates as there may be')
  t.ok((await desk.ask(LOOK, 'look-back', { ...wide, plates: [...many.slice(1), '7ABC123'] })).items.length > 0)
  const pages = desk.export(LOOK, 'canvass', wide)
  await pages.next()
  await pages.return(undefined)
  const explained = await desk.ask(LOOK, 'canvass', { ...wide, pattern: '7*', explain: true })
  t.match(explained.plan, { facts: { way: { chosen: /first/, why: /./ } }, queries: [{ label: 'estimate' }] })
  t.notOk(JSON.stringify(explained.plan).includes('7.*'), 'the plan shows no values')
})

import fc from 'fast-check'
import t from 'tap'
import { PUSH_KINDS, type PushKind } from '../../../engine/mod.js'
import { parseDetection } from '../../../engine/internal_mod.js'
import { AlprError } from '../../../engine/runtime/mod.js'
import { ADAPTERS } from '../../../gateway/push/adapters.js'
import type { Pushed } from '../../../gateway/push/request.js'
import { requestOf } from './fixtures.js'
import {
  axisRequest,
  dahuaRequest,
  frigateRequest,
  genetecRequest,
  hikvisionRequest,
  openalprRequest,
  picture,
  plateRecognizerRequest,
  verkadaRequest,
  type VendorRequest,
} from './requests.js'

const ZONE = 'America/New_York'
const AT = Date.UTC(2026, 4, 1, 8, 30, 0, 250)

const parse = (kind: PushKind, { body, headers = {} }: VendorRequest, zone: string | undefined = ZONE): Pushed =>
  ADAPTERS[kind].parse(requestOf(body, { kind, ...(zone && { zone }) }, { headers }))

const QUAD = [
  [10, 20],
  [110, 20],
  [110, 60],
  [10, 60],
]
const REQUESTS: [PushKind, VendorRequest, detection: object, leftOut: string[]][] = [
  [
    'hikvision',
    hikvisionRequest(),
    {
      region: 'US',
      track: 'e-1',
      report: 'update',
      speed: 15,
      characters: [0.99, 0.98, 0.97, 0.96, 0.95, 0.94, 0.6],
      pictures: { scene: 0, plate: 1 },
    },
    [],
  ],
  [
    'axis',
    axisRequest(),
    { region: 'US-CA', track: 'B8A44F000001/17', report: 'new', pictures: { scene: 1, plate: 0 } },
    [],
  ],
  ['dahua', dahuaRequest(), { pictures: { scene: 0, plate: 1, quad: QUAD } }, ['speed']],
  ['verkada', verkadaRequest(), { region: 'US-CA' }, ['image_url']],
  [
    'plate-recognizer',
    plateRecognizerRequest(),
    { region: 'US-CA', alternates: [{ plate: '7a8c123', confidence: 0.4 }], pictures: { scene: 0, quad: QUAD } },
    [],
  ],
  [
    'openalpr',
    openalprRequest(),
    {
      region: 'US-CA',
      track: 'group-1',
      report: 'update',
      heading: 180.5,
      alternates: [{ plate: '7A8C123', confidence: 0.4 }],
      pictures: { scene: 0, plate: 1 },
    },
    [],
  ],
  [
    'genetec',
    genetecRequest(),
    {
      region: 'US-CA',
      track: 'g-1',
      report: 'update',
      position: { lat: 38.75, lon: -121.28 },
      pictures: { scene: 0, plate: 1 },
    },
    [],
  ],
  ['frigate', frigateRequest(), { track: '1777624200.25-abc', report: 'update' }, []],
]

t.test('each kind of camera gives its detection, and the engine takes it', async (t) => {
  t.same([...REQUESTS.map(([kind]) => kind), 'frames'].sort(), [...PUSH_KINDS].sort(), 'every kind has a request')
  for (const [kind, request, expected, leftOut] of REQUESTS) {
    const { detections = [], leftOut: left } = parse(kind, request)
    t.equal(detections.length, 1, kind)
    const { capturedAt, plate, confidence, ...rest } = detections[0]!
    t.equal(capturedAt, AT, `${kind}: the time`)
    t.equal(plate.toUpperCase(), '7ABC123')
    t.ok(Math.abs(confidence - 0.93) < 0.001, `${kind}: ${confidence}`)
    t.same(rest, expected, kind)
    t.same(left, leftOut, kind)
    const parsed = parseDetection({ ...detections[0]!, capturedAt: new Date(capturedAt).toISOString() })
    t.same(parsed.leftOut, [], `${kind}: the engine leaves nothing out`)
    t.equal(parsed.observation.plate, '7ABC123')
  }
})

t.test('pictures are those of the plate and of the scene', async (t) => {
  for (const [kind, request] of REQUESTS) {
    const { detections = [], pictures = [] } = parse(kind, request)
    const { scene, plate } = detections[0]!.pictures ?? {}
    if (scene !== undefined) t.same(pictures[scene], picture('scene'), kind)
    if (plate !== undefined) t.same(pictures[plate], picture('plate'), kind)
  }
})

t.test('words in place of a plate are kept as reads that no list matches', async (t) => {
  for (const [kind, request] of [
    ['hikvision', hikvisionRequest({ plate: 'unknown' })],
    ['dahua', dahuaRequest({ plate: 'unlicensed' })],
    ['axis', axisRequest({ plate: 'NOPLATE' })],
  ] as const) {
    const { detections = [], leftOut } = parse(kind, request)
    t.equal(detections[0]!.confidence, 0.01, kind)
    t.ok(leftOut.includes('no_plate_word'))
  }
  t.same(parse('dahua', dahuaRequest({ isThere: false })).detections, [])
  t.same(parse('hikvision', hikvisionRequest({ plate: '' })).leftOut, ['plate'])
})

t.test('a local time without a zone is refused, with the remedy', async (t) => {
  t.throws(() => ADAPTERS.dahua.parse(requestOf(dahuaRequest().body, { kind: 'dahua' })), {
    code: 'ALPR_ERR_PUSH_TIME_INVALID',
    message: /--zone America\/New_York/,
  })
})

t.test('new, update and lost of Axis and Frigate are named so', async (t) => {
  for (const state of ['new', 'update', 'lost'])
    t.equal(parse('axis', axisRequest({ state: state.toUpperCase() })).detections![0]!.report, state)
  const reports = ['new', 'update', 'end'].map((type) => parse('frigate', frigateRequest(type)).detections![0]!.report)
  t.same(reports, ['new', 'update', 'lost'])
})

t.test('impossible confidences are replaced by the usual one and named', async (t) => {
  for (const confidence of ['-1', 'NaN', '', '101', '0']) {
    const { detections = [], leftOut } = parse('hikvision', hikvisionRequest({ confidence }))
    t.equal(detections[0]!.confidence, 0.8, confidence)
    t.ok(leftOut.includes('confidence'))
  }
})

t.test('messages that are no plate are taken and left', async (t) => {
  const heartbeat = Buffer.from('<EventNotificationAlert><eventType>heartBeat</eventType></EventNotificationAlert>')
  t.same(parse('hikvision', { body: heartbeat }), { leftOut: ['event_heartBeat'] })
  const keepAlive = requestOf('{"Active":"keepAlive"}', { kind: 'dahua' }, { path: '/NotificationInfo/KeepAlive' })
  t.same(ADAPTERS.dahua.parse(keepAlive), { leftOut: [] })
  t.same(parse('openalpr', { body: Buffer.from('{"data_type":"heartbeat"}') }), { leftOut: [] })
})

t.test('what is of another kind is refused by name', async (t) => {
  const cases: [PushKind, VendorRequest, RegExp][] = [
    ['hikvision', axisRequest(), /no part of it is XML/],
    ['axis', genetecRequest(), /no JSON, but .*XML/],
    ['dahua', { body: picture('x') }, /no JSON, but a JPEG/],
    ['openalpr', dahuaRequest(), /no best_plate and no results/],
    ['genetec', { body: Buffer.from('<Read><Plate>1</Plate></Read>') }, /no UTCDate and UTCTime/],
  ]
  for (const [kind, request, words] of cases)
    t.throws(() => parse(kind, request), { code: 'ALPR_ERR_PUSH_INVALID', message: words }, kind)
})

t.test('XML with a document type, without an end, or too deep is refused', async (t) => {
  const bomb = `<!DOCTYPE l [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Read><Plate>&b;</Plate></Read>`
  const outside = `<!DOCTYPE r SYSTEM "file:///etc/passwd"><Read/>`
  const cases: [string, RegExp][] = [
    [bomb, /document type/],
    [outside, /document type/],
    ['<Read><Plate>&b;</Plate></Read>', /no well-formed XML/],
    ['<Read>', /no well-formed XML/],
    ['<a>'.repeat(40), /more than 32 levels/],
    [`<a>${'<b/>'.repeat(10_001)}</a>`, /more than 10000 elements/],
    [`<a>${'x'.repeat(1_048_577)}</a>`, /the limit is 1048576/],
  ]
  for (const [xml, words] of cases)
    for (const kind of ['genetec', 'hikvision'] as const)
      t.throws(() => parse(kind, { body: Buffer.from(xml) }), { code: 'ALPR_ERR_PUSH_INVALID', message: words })
})

t.test('any change of a request is taken or refused with a code, and quickly', async (t) => {
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>(-1, 'NaN', null, '', Infinity, [], {}, 'unknown'))
  /** Replaces one value anywhere. */
  const changed = (value: unknown, pick: number, by: unknown): unknown => {
    let left = pick
    const walk = (at: unknown): unknown => {
      if (left-- === 0) return by
      if (Array.isArray(at)) return at.map(walk)
      if (at !== null && typeof at === 'object')
        return Object.fromEntries(Object.entries(at).map(([key, one]) => [key, walk(one)]))
      return at
    }
    return walk(value)
  }
  const isFine = (kind: PushKind, request: VendorRequest) => {
    try {
      for (const { confidence } of parse(kind, request).detections ?? [])
        if (!(confidence >= 0 && confidence <= 1)) return false
      return true
    } catch (error) {
      if (error instanceof AlprError && error.code.startsWith('ALPR_ERR_PUSH_')) return true
      throw error
    }
  }
  for (const [kind, request] of REQUESTS) {
    if (request.headers?.['content-type'] === 'application/json')
      fc.assert(
        fc.property(fc.nat(40), values, (pick, by) => {
          const body = Buffer.from(JSON.stringify(changed(JSON.parse(request.body.toString()), pick, by)) ?? 'null')
          return isFine(kind, { ...request, body })
        }),
        { numRuns: 200 },
      )
    fc.assert(
      fc.property(fc.nat(request.body.length), fc.nat(20), fc.uint8Array({ maxLength: 12 }), (from, length, by) => {
        const body = Buffer.concat([request.body.subarray(0, from), by, request.body.subarray(from + length)])
        return isFine(kind, { ...request, body })
      }),
      { numRuns: 200 },
    )
  }
  t.pass('no other error')
})

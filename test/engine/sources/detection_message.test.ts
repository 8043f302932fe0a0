import t from 'tap'
import fc from 'fast-check'
import { CHARACTERS, CLASSES } from '../../../wasm/mod.js'
import { characterDistributions } from '../../../engine/sources/message_distribution.js'
import { MAX_DETECTIONS, parseDetection, splitMessage } from '../../../engine/sources/detection_message.js'

const GOOD = { capturedAt: '2026-05-01T08:30:00.250Z', plate: '7ABC123', confidence: 0.93 }
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

t.test('a message has one detection or an array of them', async (t) => {
  t.same(splitMessage(bytes(GOOD)), { elements: [GOOD], alone: true })
  t.same(splitMessage(bytes([GOOD, GOOD])), { elements: [GOOD, GOOD], alone: false })
})

t.test('a message without valid detections is rejected with the reason', async (t) => {
  for (const [payload, reason] of [
    ['', /is empty/],
    ['{"plate":', /not JSON/],
    ['[]', /0 detections/],
    [new Array(MAX_DETECTIONS + 1).fill(GOOD), /257 detections/],
    ['x'.repeat(1_048_577), /1048577 bytes/],
  ] as const)
    t.throws(() => splitMessage(bytes(payload)), { code: 'ALPR_ERR_DETECTION_INVALID', message: reason })
  t.throws(() => splitMessage(bytes('plate=8ABC123')), { message: /^(?!.*8ABC)/ }, 'no reason quotes a plate')
  t.throws(() => splitMessage(new Uint8Array([0x22, 0xff, 0x22])), { message: /not UTF-8/ })
})

t.test('a detection may have every field', async (t) => {
  const quad = [
    [10, 20],
    [110, 20],
    [110, 70],
    [10, 70],
  ]
  const { observation, leftOut, ...rest } = parseDetection({
    ...GOOD,
    plate: '7abc-123',
    region: 'US-CA',
    quad,
    track: 'v17',
    position: { lat: 38.7, lon: -121.2 },
    heading: 90,
    speed: 12,
    alternates: [{ plate: '7A8C123', confidence: 0.04 }],
    characters: [1, 1, 0.9, 1, 1, 1, 1],
  })
  t.same(rest, { capturedAt: GOOD.capturedAt, position: { lat: 38.7, lon: -121.2 }, heading: 90, speed: 12 })
  t.same(leftOut, [])
  t.match(observation, {
    plate: '7ABC123',
    confidence: 0.93,
    region: 'US-CA',
    quad,
    track: 'v17',
    alternates: [{ plate: '7A8C123', confidence: 0.04 }],
  })
  t.ok(
    observation.positions[2]![CHARACTERS.indexOf('B')]! < observation.positions[1]![CHARACTERS.indexOf('A')]!,
    'the character it is less sure of',
  )
})

t.test('what is wrong is named', async (t) => {
  for (const [change, reason] of [
    [{ plate: undefined }, /plate/],
    [{ confidence: 1.5 }, /confidence/],
    [{ confidence: 'high' }, /confidence/],
    [{ colour: 'red' }, /there is no field colour/],
    [{ plate: '7AB?123' }, /character "\?"/],
    [{ plate: '---' }, /0 characters/],
    [{ plate: 'A'.repeat(13) }, /13 characters/],
    [{ plate: null }, /plate/],
    [{ confidence: null }, /confidence/],
  ] as const)
    t.throws(
      () => parseDetection({ ...GOOD, ...change }),
      { code: 'ALPR_ERR_DETECTION_INVALID', message: reason },
      JSON.stringify(change),
    )
  for (const value of [null, 7, 'text', [], [GOOD]])
    t.throws(() => parseDetection(value), { code: 'ALPR_ERR_DETECTION_INVALID' })
})

t.test('an optional field with an impossible value is left out, and the read stays', async (t) => {
  const bare = parseDetection({ ...GOOD })
  const optional = ['characters', 'alternates', 'region', 'quad', 'track', 'position', 'heading', 'speed']
  for (const field of optional)
    for (const value of [null, 'NaN', -1, {}, [null], '']) {
      const detection = { ...GOOD, [field]: value }
      const { leftOut, ...read } = parseDetection(detection)
      if (field === 'track' && value === 'NaN') continue // a name like any other
      t.same(leftOut, [field], `${field} ${JSON.stringify(value)}`)
      t.same({ ...read, leftOut: [] }, bare)
      t.same(detection, { ...GOOD, [field]: value }, 'the message is not changed')
    }
  for (const [change, field] of [
    [{ characters: [1, 1] }, 'characters'],
    [{ quad: [[0, 0]] }, 'quad'],
    [{ position: { lat: 91, lon: 0 } }, 'position'],
    [{ position: { lat: 0, lon: 0 } }, 'position'],
    [{ region: 'California' }, 'region'],
    [{ alternates: 'none' }, 'alternates'],
    [{ heading: 361 }, 'heading'],
  ] as const)
    t.same(parseDetection({ ...GOOD, ...change }).leftOut, [field], JSON.stringify(change))
  const all = Object.fromEntries(optional.map((field) => [field, null]))
  t.same([...parseDetection({ ...GOOD, ...all }).leftOut].sort(), [...optional].sort())
  t.throws(() => parseDetection({ ...GOOD, ...all, colour: 'red' }), { message: /there is no field colour/ })
})

t.test('NaN and Infinity, as Python writes them, are values that no field can have', async (t) => {
  const text =
    '{"capturedAt":"2026-05-01T08:30:00Z","plate":"7NaN123","confidence":0.9,"heading":NaN,"speed":-Infinity}'
  const [element] = splitMessage(bytes(text)).elements
  t.match(parseDetection(element), { observation: { plate: '7NAN123' }, leftOut: ['heading', 'speed'] })
  t.throws(() => splitMessage(bytes('{"plate":NaN')), { message: /not JSON/ })
  t.throws(() => parseDetection(splitMessage(bytes('{"capturedAt":"x","plate":"A1","confidence":NaN}')).elements[0]), {
    message: /confidence must be number/,
  })
})

t.test('any JSON is a detection or an error with a code', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc
          .record(
            {
              capturedAt: fc.string(),
              plate: fc.string(),
              confidence: fc.double({ noNaN: true }),
              track: fc.string(),
              region: fc.string(),
            },
            { requiredKeys: [] },
          )
          .map((v) => JSON.stringify(v)),
      ),
      (text) => {
        try {
          for (const element of splitMessage(bytes(text)).elements) parseDetection(element)
        } catch (error) {
          if ((error as { code?: string }).code !== 'ALPR_ERR_DETECTION_INVALID') throw error
        }
      },
    ),
    { numRuns: 2_000 },
  )
})

t.test(
  'in the distribution of a text each row sums to one, the character read leads, and the product is the confidence',
  async () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Z0-9]{1,12}$/),
        fc.double({ min: 0.5, max: 0.98, noNaN: true }),
        (plate, confidence) => {
          const rows = characterDistributions(plate, confidence)
          let product = 1
          for (const [i, row] of rows.entries()) {
            const top = row[CHARACTERS.indexOf(plate[i]!)]!
            product *= top
            if (
              row.length !== CLASSES ||
              Math.abs(row.reduce((a, b) => a + b, 0) - 1) > 1e-5 ||
              top !== Math.max(...row)
            )
              return false
          }
          return Math.abs(product - confidence) < 0.01
        },
      ),
    )
  },
)

import fc from 'fast-check'
import t from 'tap'
import { pack, unpack } from '../../../engine/partition/packed.js'

const PROPERTIES = { numRuns: 2_000 }
/** What JSON makes of a value: no undefined, no -0, null for what is no number. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

t.test('any JSON value comes back as JSON gives it back', async (t) => {
  const number = fc.oneof(
    fc.double(),
    fc.float(),
    fc.maxSafeInteger(),
    fc.integer({ min: -1e8, max: 1e8 }).map((n) => n / 100),
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      number,
      fc.string({ unit: 'binary' }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('seq', 'live', 'x', 'y', 'quad')), tie('value')),
    ),
  }))
  fc.assert(
    fc.property(value, (given) => t.same(unpack(pack(given)), asJson(given))),
    { numRuns: 500 },
  )
})

t.test('numbers are exact, and short where they have two decimals', async () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => unpack(pack(n)) === n + 0),
    PROPERTIES,
  )
  fc.assert(
    fc.property(fc.integer({ min: -300_000, max: 300_000 }), (n) => {
      const packed = pack(n / 100)
      return unpack(packed) === n / 100 && packed.length <= 4
    }),
    PROPERTIES,
  )
})

t.test('bytes come back as bytes, and what is packed already costs its length and three bytes at most', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      const text = Buffer.from(bytes).toString('latin1')
      return (
        Buffer.compare(unpack(pack(bytes)) as Uint8Array, bytes) === 0 &&
        unpack(pack(text)) === text &&
        pack(text).length <= text.length + 3
      )
    }),
  )
})

t.test('a number of 64 bits as text takes nine bytes; other digits stay as they are', async (t) => {
  const digits = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 66n }).map(String),
    fc.stringMatching(/^[0-9]{1,21}$/),
    fc.constantFrom('18446744073709551615', '18446744073709551616'),
  )
  fc.assert(
    fc.property(digits, (text) => unpack(pack(text)) === text),
    PROPERTIES,
  )
  t.equal(pack('18446744073709551615').length, 9)
})

t.test('undefined is left out, and what has toJSON is written as that', async (t) => {
  t.same(unpack(pack({ seq: 1, late: undefined, at: { toJSON: () => [1, 2] } })), { seq: 1, at: [1, 2] })
})

t.test('what is cut short, or is something else, is refused', async (t) => {
  const packed = pack({ seq: 1_000_000, texts: { '7ABC123': [1.5, 'x'.repeat(300)] } })
  for (let length = 0; length < packed.length; length++) t.throws(() => unpack(packed.slice(0, length)), RangeError)
  t.throws(() => unpack('\xfe'), RangeError)
  t.throws(() => unpack('{"part":0}'), RangeError, 'a record of text')
})

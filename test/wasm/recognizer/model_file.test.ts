import fc from 'fast-check'
import t from 'tap'
import { loadWasmFile, parseModel, Recognizer, WasmError } from '../../../wasm/internal_mod.js'
import { CASCADE, writeModel, writeNet, type TestNet } from './psm_writer.js'
import { Random } from '../random.js'
import { randomConv, randomFinder, randomIssuer, randomReader } from './random_nets.js'

const random = new Random(1)
const coarse = randomFinder(random, 1, 64, 96, 5)
const fine = randomFinder(random, 2, 48, 96, 9)
const reader = randomReader(random)
const good = () => writeModel([coarse, fine, reader].map(writeNet))

function reasonFor(bytes: Uint8Array): string {
  try {
    parseModel(bytes)
  } catch (error) {
    if (!(error instanceof WasmError)) throw error
    if (error.code !== 'ALPR_ERR_MODEL_INVALID') throw error
    return String(error.details.reason)
  }
  return ''
}

const changed = (net: TestNet, change: (net: TestNet) => void): Uint8Array => {
  const copy = structuredClone(net)
  change(copy)
  return writeModel([copy, fine, reader].map(writeNet))
}

t.setTimeout(120_000)

t.test('a valid model is accepted', (t) => {
  t.equal(reasonFor(good()), '')
  const model = parseModel(good())
  t.same(model.cascade, CASCADE)
  t.equal(model.nets.length, 3)
  t.end()
})

t.test('the error names the fault', (t) => {
  t.match(reasonFor(new Uint8Array(0)), /PSMODEL1/)
  t.match(reasonFor(good().subarray(0, 40)), /metadata/)
  t.match(reasonFor(good().subarray(0, good().length - 500)), /ends after/)
  t.match(reasonFor(writeModel([coarse, fine].map(writeNet))), /2 nets/)
  t.match(reasonFor(writeModel([coarse, coarse, reader].map(writeNet))), /two nets of kind 1/)
  t.match(reasonFor(writeModel([coarse, fine, reader].map(writeNet), { alphabet: 'ABC' })), /alphabet/)
  t.match(
    reasonFor(writeModel([coarse, fine, reader].map(writeNet), { cascade: { ...CASCADE, candidates: 17 } })),
    /candidates is 17/,
  )
  t.match(
    reasonFor(writeModel([coarse, fine, reader].map(writeNet), { cascade: { ...CASCADE, readMargins: [] } })),
    /readMargins/,
  )
  t.match(
    reasonFor(
      changed(coarse, (n) => {
        n.kind = 7
      }),
    ),
    /kind 7/,
  )
  t.match(
    reasonFor(
      changed(coarse, (n) => {
        n.width = 100
      }),
    ),
    /multiples of 16/,
  )
  t.match(
    reasonFor(
      changed(coarse, (n) => {
        n.layers[3]!.source = 9
      }),
    ),
    /source tensor 9/,
  )
  t.match(
    reasonFor(
      changed(coarse, (n) => {
        n.layers[1]!.strideX = 3
      }),
    ),
    /stride/,
  )
  t.match(
    reasonFor(
      changed(coarse, (n) => {
        n.layers[3]!.addend = 1
      }),
    ),
    /addend does not fit/,
  )
  t.match(
    reasonFor(
      changed(coarse, (n) => {
        n.layers[5]!.multipliers[0] = NaN
      }),
    ),
    /not finite/,
  )
  t.match(
    reasonFor(
      changed(coarse, (n) => {
        n.layers.pop()
      }),
    ),
    /raw/,
  )
  t.match(reasonFor(writeModel([coarse, fine, coarse].map(writeNet))), /two nets/)
  t.end()
})

t.test('regions need an issuer net with as many outputs, valid codes, and shapes of existing regions', (t) => {
  const issuer = randomIssuer(random, 3)
  const regions = ['US-CA', 'FR', 'BR']
  const model = (metadata: object, ...issuers: TestNet[]) =>
    writeModel([coarse, fine, reader, ...issuers].map(writeNet), { ...metadata })
  t.equal(reasonFor(model({ regions, syntaxByRegion: { FR: { AA999AA: 0.9 } } }, issuer)), '')
  t.same(parseModel(model({ regions }, issuer)).regions, regions)
  t.match(reasonFor(model({}, issuer)), /4 nets instead of 3/)
  t.match(reasonFor(model({ regions })), /3 nets instead of 4/)
  t.match(reasonFor(model({ regions: ['FR', 'DE'] }, issuer)), /issuer's output must be 2 regions/)
  t.match(reasonFor(model({ regions: ['US-CA', 'FR', 'FR'] }, issuer)), /different ISO 3166 codes/)
  t.match(reasonFor(model({ regions: ['US-CA', 'FR', '<b>'] }, issuer)), /ISO 3166/)
  t.match(reasonFor(model({ regions, syntaxByRegion: { DE: { A9: 1 } } }, issuer)), /\["DE"\] is not a region/)
  t.match(reasonFor(model({ regions, syntaxByRegion: { FR: { A9: 2 } } }, issuer)), /\["A9"\] is 2/)
  t.match(
    reasonFor(model({ regions, cascade: { ...CASCADE, regionFloor: 2 } }, issuer)),
    /regionFloor is 2, expected 0 to 1/,
  )
  t.end()
})

t.test('sums that may overflow are refused', (t) => {
  const strides = { strideY: 2, strideX: 2 }
  const wide: TestNet = {
    kind: 1,
    height: 64,
    width: 96,
    layers: [
      randomConv(random, 0, 1, 16, strides),
      randomConv(random, 1, 16, 64, strides),
      randomConv(random, 2, 64, 64, strides),
      randomConv(random, 3, 64, 5, { kernel: 1, relu: false, raw: true }),
    ],
  }
  t.equal(reasonFor(writeModel([wide, fine, reader].map(writeNet))), '')
  wide.layers[2]!.weights!.fill(-128, 0, 9 * 64)
  t.match(reasonFor(writeModel([wide, fine, reader].map(writeNet))), /layer 2: the sums of channel 0 may overflow/)
  t.end()
})

t.test('any change of bytes makes the host and the module fail with a code or not at all', async (t) => {
  const wasm = await loadWasmFile('recognizer.wasm')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      async (changes, header) => {
        const bytes = good()
        const metaEnd = 16 + new DataView(bytes.buffer).getUint32(8, true)
        // half of the time, target the first net's header and records, where changes matter
        for (const [at, value] of changes) bytes[header ? metaEnd + 16 + (at % 800) : at % bytes.length] = value
        try {
          const recognizer = await Recognizer.create(wasm, bytes, { warmUps: 0 })
          recognizer.lumaBuffer(64, 48).fill(99)
          recognizer.recognize(64, 48)
        } catch (error) {
          if (!(error instanceof WasmError)) throw error
        }
      },
    ),
    { numRuns: 150, interruptAfterTimeLimit: 8_000 },
  )
  t.pass()
})

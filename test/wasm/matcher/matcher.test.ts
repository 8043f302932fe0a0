import fc from 'fast-check'
import t from 'tap'
import { ConfusionModel, loadMatcher, Matcher, NONE, type WasmError } from '../../../wasm/internal_mod.js'
import { Random } from '../random.js'
import { CHARACTERS, position, randomPlate, readOf } from '../reads.js'
import { matchTwin } from '../twin/matcher.js'

const matcher = await loadMatcher()
/** A matcher with fixed rates and no learned counts, for cases with exact numbers. */
const classic = await Matcher.create(
  matcher.module.bytes,
  ConfusionModel.of({
    ...matcher.confusions.data,
    lookAlike: 0.012,
    other: 0.002,
    missing: 0.01,
    extra: 0.02,
    counts: {},
    calibration: [
      [0, 0],
      [1, 1],
    ],
  }),
  matcher.syntax,
)

/** Entries near a text: itself, confusions, one missing, one extra, two wrong, and unrelated plates. */
function neighbourhood(random: Random, text: string): string[] {
  const entries = [text, text.slice(1), text.slice(0, -1), `${text}7`, `A${text}`]
  for (let k = 0; k < 40; k++) {
    const at = random.whole(0, text.length)
    const c = random.pick([...CHARACTERS])
    entries.push(
      text.slice(0, at) + c + text.slice(at + 1),
      text.slice(0, at) + c + text.slice(at),
      text.slice(0, at) + text.slice(at + 1),
    )
    entries.push(randomPlate(random, 1, 12))
  }
  return entries
}

t.setTimeout(120_000)

t.test("exactly the entries from the threshold on are found, with the oracle's probability", async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.integer({ min: 1, max: 11 }),
      fc.double({ min: 1e-4, max: 0.9, noNaN: true }),
      fc.double({ min: 0.2, max: 0.999, noNaN: true }),
      async (seed, length, threshold, share) => {
        const random = new Random(seed)
        const text = randomPlate(random, length, length)
        const positions = readOf(random, text, share)
        // up to sixteen positions, some more likely none: alignments with gaps, and texts of maximal length
        for (let none = random.next() < 0.3 ? random.whole(1, 16 - positions.length) : 0; none > 0; none--)
          positions.splice(random.whole(0, positions.length), 0, position(random, NONE, 0.3 + 0.6 * random.next()))
        const entries = neighbourhood(random, text)
        const list = await matcher.compileList(entries)
        const region = random.pick([undefined, 'US-CA', 'DE', 'NOWHERE'])
        const found = matcher.match(positions, list, threshold, region)
        const { confusions, syntax } = matcher
        const weights = syntax!.weigh(positions, region, confusions.data.missing)
        const wanted = matchTwin(confusions.data, positions, entries, weights)
        const sure = wanted.flatMap((p, i) => (p >= confusions.uncalibrate(threshold) ? [i] : []))
        const possible = new Set(sure)
        const got = new Set(found.map((m) => m.entry))
        if (sure.length <= 256)
          for (const i of sure) if (!got.has(i)) throw new Error(`${entries[i]} (${wanted[i]}) is missing for ${text}`)
        for (const m of found) {
          if (!possible.has(m.entry))
            throw new Error(`${entries[m.entry]} (${wanted[m.entry]}) does not belong to ${text}`)
          if (m.probability !== confusions.calibrate(wanted[m.entry]!))
            throw new Error(`${m.probability} is not ${wanted[m.entry]}`)
        }
        for (let i = 1; i < found.length; i++)
          if (found[i]!.probability > found[i - 1]!.probability) throw new Error('not sorted')
        matcher.release(list)
      },
    ),
    { numRuns: Number(process.env.PLATESTREAM_RUNS ?? 20) * 40 },
  )
  t.pass('random lists')
})

t.test('an exact match is reported as exact', async (t) => {
  const random = new Random(7)
  const list = await classic.compileList(['7ABC123', '7ABC128', '8XYZ999'])
  const [match] = classic.match(readOf(random, '7ABC123'), list, 0.2)
  t.match(match, { entry: 0, exact: true, tolerated: [] })
  t.ok(match!.probability > 0.6)
})

t.test('a match explains its tolerances', async (t) => {
  const random = new Random(8)
  const explain = async (read: string, listed: string) => {
    const found = classic.match(readOf(random, read, 0.99), await classic.compileList([listed]), 1e-4)
    t.equal(found.length, 1, `${read} may be ${listed}`)
    t.notOk(found[0]!.exact)
    return found[0]!.tolerated.map(({ position, read, listed }) => ({ position, read, listed }))
  }
  t.same(await explain('7ABC1O3', '7ABC103'), [{ position: 5, read: 'O', listed: '0' }])
  t.same(await explain('7ABCX123', '7ABC123'), [{ position: 4, read: 'X', listed: '' }])
  t.same(await explain('7AC123', '7ABC123'), [{ position: 2, read: '', listed: 'B' }])
  t.same(await explain('7ABC12', '7ABC123'), [{ position: 6, read: '', listed: '3' }])
})

t.test('a position that is more likely none than a character is skipped', async (t) => {
  const random = new Random(9)
  const positions = readOf(random, '4KLM771')
  positions.splice(3, 0, position(random, NONE, 0.9))
  const [match] = classic.match(positions, await classic.compileList(['4KLM771']), 0.3)
  t.match(match, { entry: 0, exact: true })
})

t.test('two errors do not match at a useful threshold', async (t) => {
  const random = new Random(10)
  const list = await classic.compileList(['7ABC123'])
  t.same(classic.match(readOf(random, '7XBY123'), list, 0.01), [])
  t.same(classic.match(readOf(random, '7ABC1'), list, 1e-4), [], 'nor do two missing characters')
})

t.test('entries that cannot be a plate are reported and never match', async (t) => {
  const list = await classic.compileList(['OK1', '', 'lower', 'ABCDEFGHIJKLM', 'A-1', 'ABCDEFGHIJKL'])
  t.same(list.skipped, [1, 2, 3, 4])
  t.equal(list.size, 6)
})

t.test('an empty list, no positions or too many positions give no match and no error', async (t) => {
  const random = new Random(11)
  const empty = await classic.compileList([])
  t.same(classic.match(readOf(random, 'ABC'), empty, 0.1), [])
  t.same(classic.match([], await classic.compileList(['ABC']), 0.1), [])
  t.same(classic.match(readOf(random, randomPlate(random, 17, 17)), empty, 0.1), [])
})

t.test('an invalid read or a released list fails with a code', async (t) => {
  const random = new Random(12)
  const list = await classic.compileList(['ABC123'])
  const code = (f: () => unknown) => {
    try {
      f()
    } catch (error) {
      return (error as WasmError).code
    }
    return undefined
  }
  t.equal(
    code(() => classic.match([new Float32Array(36)], list, 0.1)),
    'ALPR_ERR_READ_INVALID',
  )
  t.equal(
    code(() => classic.match([new Float32Array(37).fill(NaN)], list, 0.1)),
    'ALPR_ERR_READ_INVALID',
  )
  t.equal(
    code(() => classic.match(readOf(random, 'ABC123'), list, 0)),
    'ALPR_ERR_READ_INVALID',
  )
  classic.release(list)
  t.equal(
    code(() => classic.match(readOf(random, 'ABC123'), list, 0.1)),
    'ALPR_ERR_LIST_RELEASED',
  )
})

t.test('of a thousand equal entries the first 256 match', async (t) => {
  const random = new Random(13)
  const list = await classic.compileList(Array.from({ length: 1000 }, () => 'ABC123'))
  const found = classic.match(readOf(random, 'ABC123'), list, 0.1)
  t.same(
    found.map((m) => m.entry),
    Array.from({ length: 256 }, (_, i) => i),
  )
})

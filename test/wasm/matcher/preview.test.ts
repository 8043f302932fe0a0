import t from 'tap'
import { loadMatcher, previewThresholds } from '../../../wasm/internal_mod.js'
import { Random } from '../random.js'
import { readOf } from '../reads.js'

const matcher = await loadMatcher()
const { confusions, syntax } = matcher

/** A plate in the format of California's passenger cars. */
const plate = (random: Random) =>
  [...'9AAA999']
    .map((kind) => (kind === '9' ? String(random.whole(0, 9)) : String.fromCharCode(65 + random.whole(0, 25))))
    .join('')

t.test('the expected false hits match those of a list of that size on that traffic', async (t) => {
  const random = new Random(5)
  const entries = 100_000
  const list = await matcher.compileList(Array.from({ length: entries }, () => plate(random)))
  const thresholds = [0.01, 0.05]
  const reads = Array.from({ length: 2_000 }, () => readOf(random, plate(random), 0.7))
  const rows = previewThresholds(
    { reads: reads.slice(0, 150), thresholds, entries, readsPerDay: reads.length, region: 'US-CA' },
    confusions,
    syntax!,
  )
  for (const [i, threshold] of thresholds.entries()) {
    let hits = 0
    let right = 0
    for (const read of reads)
      for (const match of matcher.match(read, list, threshold, 'US-CA', true)) {
        hits += 1
        right += match.probability
      }
    const seen = hits - right
    const { falseHitsPerDay } = rows[i]!
    // in the syntax only half of California's plates are 9AAA999: the list of this test is twice as dense
    t.ok(
      falseHitsPerDay > seen / 5 && falseHitsPerDay < seen * 3,
      `threshold ${threshold}: ${falseHitsPerDay.toFixed(1)} expected, ${seen.toFixed(1)} seen`,
    )
  }
  t.ok(
    rows[0]!.falseHitsPerDay > rows[1]!.falseHitsPerDay && rows[0]!.found >= rows[1]!.found,
    'a lower threshold finds more plates and gives more false hits',
  )
})

t.test('an empty list gives no false hits, and invalid questions are refused', async (t) => {
  const random = new Random(6)
  const reads = [readOf(random, '7ABC123')]
  t.same(
    previewThresholds({ reads, thresholds: [0.1], entries: 0, readsPerDay: 1e6 }, confusions, syntax!).map(
      (row) => row.falseHitsPerDay,
    ),
    [0],
  )
  for (const bad of [{ reads: [] }, { thresholds: [0] }, { entries: -1 }])
    t.throws(
      () => previewThresholds({ reads, thresholds: [0.1], entries: 1, readsPerDay: 1, ...bad }, confusions, syntax!),
      { code: 'ALPR_ERR_SEARCH_INVALID' },
    )
})

import { plainWeights } from '../../wasm/internal_mod.js'
import { Matcher } from '../../wasm/mod.js'
import { matchTwin } from '../../test/wasm/twin/matcher.js'
import { Plates } from '../random/plates.js'

const SHAPES = ['9AAA999', '9AAA999', '9AAA999', 'AAA9999', 'AAA999']
const THRESHOLDS = [0.5, 0.1, 0.01, 0.001]

/** Times a read is asked about again, to tell the work that it is from what interrupts the machine. */
const AGAIN = 3

/** Something to do that depends on nothing: so many turns. */
function turn(turns: number): number {
  let sum = 0
  for (let i = 0; i < turns; i++) sum = (sum * 31 + i) | 0
  return sum
}

let sink = 0

/** Turns of the empty loop in so many milliseconds. */
function turnsIn(ms: number): number {
  let fastest = Infinity
  for (let k = 0; k < 200; k++) {
    const start = performance.now()
    sink += turn(10_000)
    fastest = Math.min(fastest, performance.now() - start)
  }
  return Math.max(1, Math.round((ms / fastest) * 10_000))
}

/** Microseconds by share of the sorted times. */
function quantiles(times: number[]): (share: number) => number {
  times.sort((a, b) => a - b)
  return (share) => times[Math.floor(times.length * share)]! * 1000
}

/**
 * Beside each read a loop that does nothing takes as long as the middle read did: what it takes longer now and then is
 * the machine's. The best of the same read asked `AGAIN` times more is the work of that read, with its memory at hand.
 */
export async function measureHotList(
  matcher: Matcher,
  entries: number,
  reads: number,
): Promise<{ p99: number; rows: object[]; listed: string[] }> {
  const random = new Plates(42)
  const listed = Array.from({ length: entries }, () => random.text(random.pick(SHAPES)))
  const begin = performance.now()
  const list = await matcher.compileList(listed)
  const compileMs = performance.now() - begin
  console.log(`hot list of ${entries} entries compiled in ${compileMs.toFixed(0)} ms`)
  const rows = []
  for (const threshold of THRESHOLDS) {
    for (const certainty of [0.98, 0.9, 0.7]) {
      const times: number[] = []
      const empty: number[] = []
      const own: number[] = []
      let matches = 0
      const samples = Array.from({ length: reads }, () =>
        random.read(random.next() < 0.5 ? random.pick(listed) : random.text(random.pick(SHAPES)), certainty),
      )
      const timed = (work: () => void) => {
        const start = performance.now()
        work()
        return performance.now() - start
      }
      const warm = samples.slice(0, 500).map((sample) => timed(() => matcher.match(sample, list, threshold)))
      const turns = turnsIn(quantiles(warm)(0.5) / 1000)
      for (const sample of samples) {
        times.push(
          timed(() => {
            matches += matcher.match(sample, list, threshold).length
          }),
        )
        empty.push(
          timed(() => {
            sink += turn(turns)
          }),
        )
      }
      for (const sample of samples) {
        let best = Infinity
        for (let k = 0; k < AGAIN; k++)
          best = Math.min(
            best,
            timed(() => {
              matcher.match(sample, list, threshold)
            }),
          )
        own.push(best)
      }
      const [at, floor, work] = [quantiles(times), quantiles(empty), quantiles(own)]
      const row = {
        threshold,
        certainty,
        p50: at(0.5),
        p99: at(0.99),
        ownP99: work(0.99),
        emptyP50: floor(0.5),
        emptyP99: floor(0.99),
        matches: matches / reads,
      }
      rows.push(row)
      console.log(
        `threshold ${threshold}, characters sure to ${certainty}: p50 ${row.p50.toFixed(1)}, p99 ${row.p99.toFixed(1)} us a read; the reads' own work p99 ${row.ownP99.toFixed(1)}; an empty loop beside them p50 ${row.emptyP50.toFixed(1)}, p99 ${row.emptyP99.toFixed(1)}; ${row.matches.toFixed(2)} matches`,
      )
    }
  }
  matcher.release(list)
  await compareWithOracle(matcher, random)
  return { p99: rows.find((row) => row.threshold === 0.1 && row.certainty === 0.9)!.p99, rows, listed }
}

/** Every entry of small lists, held to the oracle: same entries, same probabilities to the last bit. */
async function compareWithOracle(matcher: Matcher, random: Plates): Promise<void> {
  const plain = await Matcher.create(matcher.module.bytes, matcher.confusions)
  let pairs = 0
  for (let k = 0; k < 60; k++) {
    const truth = random.text('9AAA999')
    const listed = Array.from({ length: 1_000 }, (_, i) => {
      if (i % 2) return random.text(random.pick(SHAPES))
      const at = random.whole(7)
      return truth.slice(0, at) + random.text('X') + truth.slice(at + 1)
    })
    const read = random.read(truth, 0.8)
    const { data } = plain.confusions
    const wanted = matchTwin(data, read, listed, plainWeights(read.length, data.missing))
    const list = await plain.compileList(listed)
    const found = plain.match(read, list, 0.001)
    plain.release(list)
    const should = wanted.filter((p) => p >= plain.confusions.uncalibrate(0.001)).length
    if (should <= 256 && found.length !== should) throw new Error(`${found.length} matches, the oracle has ${should}`)
    for (const match of found)
      if (match.probability !== plain.confusions.calibrate(wanted[match.entry]!))
        throw new Error(`${listed[match.entry]}: ${match.probability}, the oracle ${wanted[match.entry]}`)
    pairs += listed.length
  }
  console.log(`equal to the scalar oracle on ${pairs} pairs of read and entry`)
}

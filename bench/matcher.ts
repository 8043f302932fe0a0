import { parseArgs } from 'node:util'
import { loadMatcher } from '../wasm/load_node.js'
import { CHARACTERS, CLASSES } from '../wasm/mod.js'

export const summary = 'milliseconds to check one read against a hot list'

/**
 * Question: what does checking one read against a list of a million plates cost?
 *
 * Method: random plates of California's passenger form, so that all are of one length - the worst case for a scan by length. Reads of
 * listed plates at several certainties, each at two thresholds.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({ args, options: { entries: { type: 'string', default: '1000000' }, reads: { type: 'string', default: '200' } } })
  const random = generator(42)
  const plates = Array.from({ length: Number(values.entries) }, () => plate(random))
  const matcher = await loadMatcher()
  const start = performance.now()
  const list = await matcher.compileList(plates)
  console.log(`compile ${plates.length} entries: ${(performance.now() - start).toFixed(0)} ms`)
  const rows = []
  for (const certainty of [0.98, 0.9, 0.6]) {
    for (const threshold of [0.25, 0.01]) {
      const times: number[] = []
      let matches = 0
      for (let i = 0; i < Number(values.reads); i++) {
        const read = [...plates[Math.floor(random() * plates.length)]!].map((c) => position(CHARACTERS.indexOf(c), certainty, random))
        const begin = performance.now()
        matches += matcher.match(read, list, threshold).length
        times.push(performance.now() - begin)
      }
      times.sort((a, b) => a - b)
      const row = { certainty, threshold, best: times[0]!, median: times[times.length >> 1]!, matches: matches / times.length }
      rows.push(row)
      console.log(`certainty ${certainty}, threshold ${threshold}: best ${row.best.toFixed(2)}, median ${row.median.toFixed(2)} ms, ${row.matches.toFixed(2)} matches a read`)
    }
  }
  return { benchmark: 'matcher', entries: plates.length, rows }
}

function plate(random: () => number): string {
  const pick = (from: number, count: number) => CHARACTERS[from + Math.floor(random() * count)]!
  return pick(0, 10) + pick(10, 26) + pick(10, 26) + pick(10, 26) + pick(0, 10) + pick(0, 10) + pick(0, 10)
}

/** A position with `certainty` on one character and the rest on three others. */
function position(top: number, certainty: number, random: () => number): Float32Array {
  const p = new Float32Array(CLASSES).fill(1e-5)
  p[top]! += certainty
  for (let k = 0; k < 3; k++) p[Math.floor(random() * CLASSES)]! += (1 - certainty) / 3
  const sum = p.reduce((a, b) => a + b, 0)
  return p.map((v) => v / sum)
}

/** xorshift32. */
function generator(state: number): () => number {
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4294967296
  }
}

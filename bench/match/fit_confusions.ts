import { createReadStream, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { AlprError } from '../../engine/errors.js'
import { textsOf } from '../../wasm/internal_mod.js'
import { CHARACTERS, CLASSES, ConfusionModel, NONE, type ConfusionData } from '../../wasm/mod.js'

export const summary = 'fits the confusion model to pairs of truth and read'

interface Pair {
  truth: string
  positions: Float32Array[]
}

/** Texts below this probability say nothing of what a threshold lets through. */
const LEAST = 0.001
const KNOTS = 12

/**
 * Learns how a reader errs: `--pairs` has one JSON object a line, `{"truth": "7ABC123", "positions": [[37 probabilities], ..]}`, of pictures that the reader
 * was not trained on. Truth and read are aligned; where a character stands against a position, each character that the position gives counts with its
 * probability. Gaps give the rates of missing and extra characters. With the new matrix, every text that the reads may be is held against the truth, and
 * the calibration is the rising line (pool adjacent violators) through what was right. Writes the whole file that the matcher loads.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({ args, options: { pairs: { type: 'string' }, base: { type: 'string', default: 'wasm/models/confusions.json' }, out: { type: 'string' }, source: { type: 'string', default: '' } } })
  if (!values.pairs || !values.out) throw new AlprError('ALPR_ERR_USAGE', { reason: 'needs --pairs FILE and --out FILE' })
  const base = JSON.parse(readFileSync(values.base!, 'utf8')) as ConfusionData
  const pairs = await readPairs(values.pairs)
  if (pairs.length < 20) throw new AlprError('ALPR_ERR_USAGE', { reason: `${pairs.length} pairs are too few` })
  const counts: Record<string, Record<string, number>> = {}
  let missing = 0
  let extra = 0
  let places = 0
  for (const { truth, positions } of pairs) {
    for (const [i, j] of align(positions, truth)) {
      places += 1
      if (i === undefined) missing += 1
      else if (j === undefined) extra += 1 - positions[i]![NONE]!
      else {
        for (let c = 0; c < NONE; c++) {
          const share = positions[i]![c]!
          if (share < 0.001) continue
          const row = (counts[CHARACTERS[c]!] ??= {})
          row[truth[j]!] = (row[truth[j]!] ?? 0) + share
        }
      }
    }
  }
  // The distribution itself says what the reader doubted: what counts here is what it was sure of, so shares are its own.
  const data: ConfusionData = {
    ...base, counts: rounded(counts), missing: Math.max(1e-4, (missing + 1) / (places + 100)), extra: Math.max(1e-4, (extra + 1) / (places + 100)), calibration: [[0, 0], [1, 1]],
    origin: [...base.origin.filter(({ part }) => !part.startsWith('counts')), { part: 'counts, missing, extra, calibration', source: `${values.source || values.pairs}: ${pairs.length} pairs of truth and read` }],
  }
  const points: { p: number; right: number }[] = []
  const model = ConfusionModel.of(data)
  for (const { truth, positions } of pairs) for (const [text, p] of textsOf(positions, LEAST, model)) points.push({ p: Math.min(1, p), right: text === truth ? 1 : 0 })
  data.calibration = risingLine(points)
  ConfusionModel.of(data)
  writeFileSync(values.out, `${JSON.stringify(data, null, 2)}\n`)
  const fitted = ConfusionModel.of(data)
  const brier = (of: (p: number) => number) => points.reduce((sum, { p, right }) => sum + (of(p) - right) ** 2, 0) / points.length
  console.log(`${pairs.length} pairs, ${points.length} texts; missing ${data.missing.toFixed(4)}, extra ${data.extra.toFixed(4)}; mean squared error ${brier((p) => p).toFixed(5)} before the calibration, ${brier((p) => fitted.calibrate(p)).toFixed(5)} after`)
  return { benchmark: 'confusions', pairs: pairs.length, calibration: data.calibration }
}

async function readPairs(file: string): Promise<Pair[]> {
  const pairs: Pair[] = []
  let number = 0
  for await (const line of createInterface({ input: createReadStream(file) })) {
    number += 1
    if (line.trim() === '') continue
    const { truth, positions } = JSON.parse(line) as { truth: string; positions: number[][] }
    if (!/^[A-Z0-9]{1,12}$/.test(truth) || !Array.isArray(positions) || positions.length > 16 || !positions.every((p) => p.length === CLASSES)) throw new AlprError('ALPR_ERR_USAGE', { reason: `line ${number} is no pair of truth and read` })
    pairs.push({ truth, positions: positions.map((p) => Float32Array.from(p)) })
  }
  return pairs
}

/** Pairs of position and character under the best agreement; a gap is undefined. */
function align(positions: readonly Float32Array[], truth: string): [number | undefined, number | undefined][] {
  const width = truth.length + 1
  const score = new Float64Array((positions.length + 1) * width)
  const pair = (i: number, j: number) => positions[i]![CHARACTERS.indexOf(truth[j]!)]! - 0.25
  for (let i = 0; i <= positions.length; i++) {
    for (let j = 0; j <= truth.length; j++) {
      if (i === 0 && j === 0) continue
      score[i * width + j] = Math.max(
        i > 0 && j > 0 ? score[(i - 1) * width + j - 1]! + pair(i - 1, j - 1) : -Infinity,
        i > 0 ? score[(i - 1) * width + j]! + positions[i - 1]![NONE]! - 0.3 : -Infinity,
        j > 0 ? score[i * width + j - 1]! - 0.3 : -Infinity)
    }
  }
  const steps: [number | undefined, number | undefined][] = []
  for (let i = positions.length, j = truth.length; i > 0 || j > 0;) {
    const here = score[i * width + j]!
    if (i > 0 && j > 0 && here === score[(i - 1) * width + j - 1]! + pair(i - 1, j - 1)) steps.push([--i, --j])
    else if (i > 0 && here === score[(i - 1) * width + j]! + positions[i - 1]![NONE]! - 0.3) steps.push([--i, undefined])
    else steps.push([undefined, --j])
  }
  return steps.reverse()
}

/** Pool adjacent violators, then at most a dozen knots, both coordinates rising, from [0, 0] to [1, 1]. */
export function risingLine(points: { p: number; right: number }[]): [number, number][] {
  const pools: { p: number; right: number; n: number }[] = []
  for (const { p, right } of [...points].sort((a, b) => a.p - b.p)) {
    pools.push({ p, right, n: 1 })
    while (pools.length > 1 && pools.at(-2)!.right / pools.at(-2)!.n >= pools.at(-1)!.right / pools.at(-1)!.n) {
      const last = pools.pop()!
      const into = pools.at(-1)!
      into.p += last.p
      into.right += last.right
      into.n += last.n
    }
  }
  const knots: [number, number][] = [[0, 0]]
  const step = Math.max(1, Math.ceil(pools.length / KNOTS))
  for (let i = 0; i < pools.length; i += step) {
    const part = pools.slice(i, i + step)
    const n = part.reduce((sum, pool) => sum + pool.n, 0)
    const x = Number((part.reduce((sum, pool) => sum + pool.p, 0) / n).toFixed(6))
    // one right and one wrong more: a few points say neither 0 nor 1
    const y = Number(((part.reduce((sum, pool) => sum + pool.right, 0) + 0.5) / (n + 1)).toFixed(6))
    const [lastX, lastY] = knots.at(-1)!
    if (x > lastX + 1e-4 && y > lastY + 1e-6 && x < 0.9999 && y < 0.9999) knots.push([x, y])
  }
  knots.push([1, 1])
  return knots
}

function rounded(counts: Record<string, Record<string, number>>): Record<string, Record<string, number>> {
  const sorted = (row: Record<string, number>) => Object.fromEntries(Object.entries(row).filter(([, n]) => n >= 0.01).sort(([a], [b]) => (a < b ? -1 : 1)).map(([truth, n]) => [truth, Number(n.toFixed(2))]))
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)).map(([read, row]) => [read, sorted(row)]))
}

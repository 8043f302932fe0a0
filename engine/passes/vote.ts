import { CHARACTERS, CLASSES, NONE } from '../../wasm/mod.js'
import { readColumns, writeColumns } from './vote_columns.js'

/**
 * The vote of a pass: the character distributions of its detections, aligned and pooled per position.
 *
 * A vote is a row of columns. For each of the 36 characters and 'none' (index 36), a column contains the weighted sum
 * of the log probabilities of the detections. Detections of other lengths are aligned first (Needleman-Wunsch on
 * expected agreement): a position that a detection lacks votes 'none', a position that only it has opens a new column.
 *
 *     detection   7 A B C 1 2 3          columns   7 A B C 1 2 3
 *     detection   7 A   C 1 2 3   ->               7 A - C 1 2 3     '-' is a vote for none
 *
 * Pooling is the geometric mean raised to sqrt(n): n frames of one car are not independent (same glare, same dirt), so
 * certainty grows with the root of their number. With one detection the pooled distribution is that detection's. All
 * sums are f32, so that a vote restored from a checkpoint continues bit for bit.
 */
/** Most columns of a vote: the longest plates have 10 characters, the rest is room for misreads. */
const MAX_COLUMNS = 16
/** The lowest probability: one frame alone can never rule a character out. */
const FLOOR = 1e-4
/**
 * Texts less probable than this share of the best one so far are dropped. Without it most of the time goes to texts
 * that nobody will see.
 */
const HOPELESS = 1e-6
/** The distribution of a missing position: most likely it does not exist, but it may have been missed. */
const MISSING = distributionOfNone(0.9)

/** A vote in a checkpoint. */
export interface VoteJson {
  /** `writeColumns`. */
  columns: Uint8Array | string
  weight: number
  detections: number
}

export class Vote {
  private pooled: Float32Array[] | undefined

  private constructor(
    private columns: Float32Array[],
    private weight: number,
    private detections: number,
  ) {}

  static empty(): Vote {
    return new Vote([], 0, 0)
  }

  /** Adds one detection: `positions` are 37 probabilities each, `weight` is above 0. */
  add(positions: readonly Float32Array[], weight: number): void {
    if (positions.length === 0 || !(weight > 0)) return
    const steps = align(this.positions(), positions)
    const merged: Float32Array[] = []
    for (const [column, position] of steps) {
      const sums = column === undefined ? scaled(MISSING, this.weight) : this.columns[column]!
      addLogs(sums, position === undefined ? MISSING : positions[position]!, weight)
      merged.push(sums)
    }
    this.weight = Math.fround(this.weight + weight)
    this.detections += 1
    this.pooled = undefined
    this.columns = merged.length <= MAX_COLUMNS ? merged : this.withoutWeakest(merged)
  }

  get count(): number {
    return this.detections
  }

  /** The pooled distribution: 37 probabilities for each column. */
  positions(): readonly Float32Array[] {
    const sharpness = Math.sqrt(this.detections)
    return (this.pooled ??= this.columns.map((sums) => softmax(sums, sharpness / this.weight)))
  }

  /** The columns that probably are a character: what the matcher needs. */
  likelyPositions(): Float32Array[] {
    return this.positions().filter((column) => column[NONE]! < 0.9)
  }

  /** The `n` most probable texts, best first. Texts that differ only in empty columns are one. */
  best(n: number): { plate: string; probability: number }[] {
    let beam: { plate: string; probability: number }[] = [{ plate: '', probability: 1 }]
    for (const column of this.positions()) {
      const grown = new Map<string, number>()
      const least = HOPELESS * beam[0]!.probability * highest(column)
      for (const { plate, probability } of beam) {
        for (let c = 0; c < CLASSES; c++) {
          const p = probability * column[c]!
          if (p < least) continue
          const text = c === NONE ? plate : plate + CHARACTERS[c]
          grown.set(text, (grown.get(text) ?? 0) + p)
        }
      }
      beam = [...grown]
        .map(([plate, probability]) => ({ plate, probability }))
        .sort((a, b) => b.probability - a.probability || (a.plate < b.plate ? -1 : 1))
        .slice(0, 4 * n)
    }
    return beam.slice(0, n)
  }

  toJSON(): VoteJson {
    const { columns, weight, detections } = this
    return { columns: writeColumns(columns), weight, detections }
  }

  static fromJSON({ columns, weight, detections }: VoteJson): Vote {
    return new Vote(readColumns(columns), weight, detections)
  }

  /** Drops the columns that are most likely empty, down to the bound. */
  private withoutWeakest(columns: Float32Array[]): Float32Array[] {
    const emptiness = columns.map((sums) => softmax(sums, 1 / this.weight)[NONE]!)
    const kept = [...emptiness].sort((a, b) => a - b)[MAX_COLUMNS - 1]!
    return columns.filter((_, i) => emptiness[i]! <= kept).slice(0, MAX_COLUMNS)
  }
}

/**
 * How similar two distributions are, 0 to 1: the expected share of agreeing positions under the best alignment.
 * Equal certain texts give 1, one misread of seven gives 6/7.
 */
export function similarity(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  if (a.length === 0 || b.length === 0) return 0
  let agreed = 0
  for (const [i, j] of align(a, b)) if (i !== undefined && j !== undefined) agreed += agreement(a[i]!, b[j]!)
  const expected = Math.max(expectedLength(a), expectedLength(b))
  return Math.min(1, agreed / expected)
}

type Step = [column: number | undefined, position: number | undefined]

/** The best alignment by expected agreement; a gap costs nothing but the agreement it forgoes, ties prefer pairs. */
function align(columns: readonly Float32Array[], positions: readonly Float32Array[]): Step[] {
  const n = columns.length
  const m = positions.length
  const width = m + 1
  const score = new Float64Array((n + 1) * width)
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      if (i === 0 && j === 0) continue
      const pair =
        i > 0 && j > 0 ? score[(i - 1) * width + j - 1]! + pairScore(columns[i - 1]!, positions[j - 1]!) : -Infinity
      const skipColumn = i > 0 ? score[(i - 1) * width + j]! + columns[i - 1]![NONE]! - 0.3 : -Infinity
      const skipPosition = j > 0 ? score[i * width + j - 1]! + positions[j - 1]![NONE]! - 0.3 : -Infinity
      score[i * width + j] = Math.max(pair, skipColumn, skipPosition)
    }
  }
  const steps: Step[] = []
  let i = n
  let j = m
  while (i > 0 || j > 0) {
    const here = score[i * width + j]!
    if (i > 0 && j > 0 && here === score[(i - 1) * width + j - 1]! + pairScore(columns[i - 1]!, positions[j - 1]!))
      steps.push([--i, --j])
    else if (i > 0 && here === score[(i - 1) * width + j]! + columns[i - 1]![NONE]! - 0.3) steps.push([--i, undefined])
    else steps.push([undefined, --j])
  }
  return steps.reverse()
}

/** A pair that disagrees still explains two rows of the same length better than two gaps. */
const pairScore = (a: Float32Array, b: Float32Array): number => agreement(a, b) - 0.25

/** The probability that both are the same character. */
function agreement(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let c = 0; c < NONE; c++) sum += a[c]! * b[c]!
  return sum
}

const expectedLength = (rows: readonly Float32Array[]): number =>
  Math.max(
    1,
    rows.reduce((sum, row) => sum + 1 - row[NONE]!, 0),
  )

function addLogs(sums: Float32Array, probabilities: Float32Array, weight: number): void {
  for (let c = 0; c < CLASSES; c++) sums[c] = sums[c]! + weight * Math.log(Math.max(probabilities[c]!, FLOOR))
}

function scaled(probabilities: Float32Array, weight: number): Float32Array {
  return Float32Array.from(probabilities, (p) => weight * Math.log(Math.max(p, FLOOR)))
}

/** Loops, not `reduce` and `map`: this runs for every column of every detection. */
function softmax(sums: Float32Array, factor: number): Float32Array {
  const top = highest(sums)
  const out = new Float32Array(sums.length)
  let total = 0
  for (let c = 0; c < out.length; c++) {
    out[c] = Math.exp((sums[c]! - top) * factor)
    total += out[c]!
  }
  for (let c = 0; c < out.length; c++) out[c] = out[c]! / total
  return out
}

function highest(values: Float32Array): number {
  let top = -Infinity
  for (let c = 0; c < values.length; c++) if (values[c]! > top) top = values[c]!
  return top
}

function distributionOfNone(p: number): Float32Array {
  const out = new Float32Array(CLASSES).fill((1 - p) / NONE)
  out[NONE] = p
  return out
}

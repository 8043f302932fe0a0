import { CHARACTERS } from '../classes.js'
import { WasmError } from '../errors.js'

/** The file `confusions.json`: how readers confuse characters, fitted by bench/confusions. */
export interface ConfusionData {
  format: 1
  /** Origin of each part, for people. */
  origin: { part: string; source: string }[]
  /** Groups of characters that look alike; a character may be in several. */
  lookAlikes: string[]
  /** P(a look-alike is on the plate | the reader is sure of a character), shared among its look-alikes. */
  lookAlike: number
  /** P(any other character is on the plate | the reader is sure of one), shared among all 35. */
  other: number
  /** P(the plate has one more character at a given place, of any kind | read). */
  missing: number
  /** P(a character read is not on the plate). */
  extra: number
  /**
   * Learned: how often `truth` was on the plate when the reader read `read`, `{ read: { truth: count } }`. Expected
   * counts, not integers.
   */
  counts: Record<string, Record<string, number>>
  /** Weight of the look-alikes above as a prior, in observations of a character. */
  weight: number
  /**
   * Knots of the calibration: [uncalibrated probability, share that was right], both rising from [0, 0] to [1, 1].
   */
  calibration: [number, number][]
}

const N = CHARACTERS.length
/**
 * P(one is on the plate | the other was read) from which a pair counts as look-alikes without being a classic one.
 */
const ALIKE_FLOOR = 0.001

/**
 * The confusion matrix of readers: `matrix[read * 36 + truth]` is P(truth is on the plate | the reader is sure of
 * read); every row sums to 1. The look-alikes are the prior of the learned counts: row = (counts + weight * classic
 * row) / (total + weight).
 */
export class ConfusionModel {
  private constructor(
    readonly data: ConfusionData,
    readonly matrix: Float64Array,
  ) {}

  /** @param json the parsed file. @throws ALPR_ERR_CONFUSIONS_INVALID with the first fault */
  static of(json: unknown): ConfusionModel {
    const data = validate(json)
    const matrix = new Float64Array(N * N)
    for (let read = 0; read < N; read++) {
      const classic = classicRow(data, read)
      const counts = data.counts[CHARACTERS[read]!] ?? {}
      const total = Object.values(counts).reduce((a, b) => a + b, 0)
      for (let truth = 0; truth < N; truth++) {
        matrix[read * N + truth] =
          ((counts[CHARACTERS[truth]!] ?? 0) + data.weight * classic[truth]!) / (total + data.weight)
      }
    }
    return new ConfusionModel(data, matrix)
  }

  /** P(truth is on the plate | the reader is sure of read); characters as classes 0..35. */
  probability(read: number, truth: number): number {
    return this.matrix[read * N + truth]!
  }

  /**
   * Whether the pair matches without an error: a classic look-alike, or confused often enough in the learned counts.
   */
  alike(read: number, truth: number): boolean {
    return (
      this.probability(read, truth) >= ALIKE_FLOOR ||
      this.data.lookAlikes.some((group) => group.includes(CHARACTERS[read]!) && group.includes(CHARACTERS[truth]!))
    )
  }

  /**
   * The share of matches with this probability that were right on the fitting data: piecewise linear, rising, 0..1.
   */
  calibrate(probability: number): number {
    return along(this.data.calibration, probability, 0, 1)
  }

  /** The least uncalibrated probability that calibrates to `probability` or more. */
  uncalibrate(probability: number): number {
    return along(this.data.calibration, probability, 1, 0)
  }
}

/** The row of the prior, from the classic look-alikes. */
function classicRow(data: ConfusionData, read: number): Float64Array {
  const alike = new Set(
    data.lookAlikes.filter((group) => group.includes(CHARACTERS[read]!)).flatMap((group) => [...group]),
  )
  alike.delete(CHARACTERS[read]!)
  const row = new Float64Array(N).fill(data.other / (N - 1))
  for (const character of alike) row[CHARACTERS.indexOf(character)]! += data.lookAlike / alike.size
  row[read] = 1 - data.other - (alike.size > 0 ? data.lookAlike : 0)
  return row
}

function along(knots: readonly [number, number][], x: number, from: 0 | 1, to: 0 | 1): number {
  if (!(x > 0)) return 0
  for (let i = 1; i < knots.length; i++) {
    const [a, b] = [knots[i - 1]!, knots[i]!]
    if (x <= b[from]) return a[to] + ((x - a[from]) / (b[from] - a[from])) * (b[to] - a[to])
  }
  return 1
}

function validate(json: unknown): ConfusionData {
  const data = json as ConfusionData
  const fail = (reason: string): never => {
    throw new WasmError('ALPR_ERR_CONFUSIONS_INVALID', { reason })
  }
  if (data === null || typeof data !== 'object' || data.format !== 1) fail('format is not 1')
  const share = (name: 'lookAlike' | 'other' | 'missing' | 'extra', most: number) => {
    const value: unknown = data[name]
    if (typeof value !== 'number' || !(value > 0 && value <= most)) fail(`${name} is not above 0 and up to ${most}`)
  }
  share('lookAlike', 0.5)
  share('other', 0.25)
  share('missing', 0.25)
  share('extra', 0.25)
  if (
    !Array.isArray(data.lookAlikes) ||
    data.lookAlikes.length > 64 ||
    !data.lookAlikes.every((group) => typeof group === 'string' && /^[A-Z0-9]{2,8}$/.test(group))
  )
    fail('lookAlikes are not groups of 2 to 8 of [A-Z0-9]')
  if (typeof data.weight !== 'number' || !(data.weight > 0)) fail('weight is not above 0')
  if (data.counts === null || typeof data.counts !== 'object') fail('counts are missing')
  for (const [read, row] of Object.entries(data.counts)) {
    for (const [truth, count] of Object.entries(row)) {
      if (
        !CHARACTERS.includes(read) ||
        read.length !== 1 ||
        !CHARACTERS.includes(truth) ||
        truth.length !== 1 ||
        !(count >= 0 && count < 1e12)
      )
        fail(`counts of ${read}: ${truth} ${count}`)
    }
  }
  const knots = data.calibration
  const rising =
    Array.isArray(knots) &&
    knots.length >= 2 &&
    knots.length <= 64 &&
    knots.every(
      (knot, i) =>
        Array.isArray(knot) &&
        knot.length === 2 &&
        knot.every((v, side) => typeof v === 'number' && (i === 0 ? v === 0 : v > knots[i - 1]![side]! && v <= 1)),
    )
  if (!rising || knots.at(-1)![0] !== 1 || knots.at(-1)![1] !== 1)
    fail('calibration is not a rising line from [0, 0] to [1, 1]')
  return data
}

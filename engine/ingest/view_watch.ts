import type { ViewFault } from '../model/ingest_status.js'
import { MINIATURE } from './miniature.js'

/** How often the view is judged, ms: it changes slowly, and a car that passes must not count. */
const EVERY_MS = 1_000
/** A fault is named when it was there so long without a break, ms: a lorry covers the view for some seconds. */
const FOR_MS = 20_000
/** Cells in which the strength of edges is summed. */
const CELL = 20
const COLUMNS = MINIATURE.width / CELL
const ROWS = MINIATURE.height / CELL
/** Standard deviation of a picture with hardly any contrast, of 256 levels. */
const NO_CONTRAST = 5
/** Differences of neighbours up to this are noise, of 256 levels. */
const NOISE = 6
/** A share of the usual sharpness. */
const BLURRED = 0.35
/** Correlation with the usual view. */
const MOVED = 0.4
/** The usual view follows the present one by this share each second: it is forgotten after about half an hour. */
const LEARN = 1 / 1_800
/** Seconds of views before anything is compared with them. */
const LEAST_SEEN = 30

/** Notices that a camera is covered, out of focus or turned away, by comparing its view with what it usually shows. */
export class ViewWatch {
  #judgedAt = -Infinity
  #seen = 0
  /** Strength of edges by cell, as usual. */
  #usual: Float64Array | undefined
  readonly #since = new Map<ViewFault, number>()
  #latest = 0

  /** Faults that last. */
  get faults(): ViewFault[] {
    return [...this.#since].filter(([, since]) => this.#latest - since >= FOR_MS).map(([fault]) => fault)
  }

  /** @param time when the picture was taken, ms */
  see(miniature: Uint8Array, time: number): void {
    if (time >= this.#judgedAt && time - this.#judgedAt < EVERY_MS) return
    this.#judgedAt = time
    this.#latest = time
    const edges = edgesOf(miniature)
    const isBlocked = deviationOf(miniature) < NO_CONTRAST
    this.#mark('blocked', isBlocked, time)
    const usual = (this.#usual ??= edges.slice())
    const canCompare = this.#seen >= LEAST_SEEN && !isBlocked
    const isBlurred = canCompare && sum(edges) < BLURRED * sum(usual)
    this.#mark('blurred', isBlurred, time)
    const isMoved = canCompare && !isBlurred && correlation(edges, usual) < MOVED
    this.#mark('moved', isMoved, time)
    if (isBlocked) return
    this.#seen++
    const share = Math.max(LEARN, 1 / this.#seen)
    for (let i = 0; i < usual.length; i++) usual[i]! += (edges[i]! - usual[i]!) * share
  }

  #mark(fault: ViewFault, isSo: boolean, time: number): void {
    if (!isSo) this.#since.delete(fault)
    else if (!this.#since.has(fault)) this.#since.set(fault, time)
  }
}

function deviationOf(miniature: Uint8Array): number {
  let total = 0
  let squares = 0
  for (const value of miniature) {
    total += value
    squares += value * value
  }
  const mean = total / miniature.length
  return Math.sqrt(Math.max(0, squares / miniature.length - mean * mean))
}

/** Sum of the differences of neighbours by cell, those across and those down apart. */
function edgesOf(miniature: Uint8Array): Float64Array {
  const { width, height } = MINIATURE
  const edges = new Float64Array(2 * COLUMNS * ROWS)
  for (let y = 0; y < height - 1; y++) {
    const row = Math.floor(y / CELL) * COLUMNS
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x
      const cell = 2 * (row + Math.floor(x / CELL))
      edges[cell]! += Math.max(0, Math.abs(miniature[at + 1]! - miniature[at]!) - NOISE)
      edges[cell + 1]! += Math.max(0, Math.abs(miniature[at + width]! - miniature[at]!) - NOISE)
    }
  }
  return edges
}

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0)

/** Pearson's, -1 to 1. */
function correlation(a: Float64Array, b: Float64Array): number {
  const meanA = sum(a) / a.length
  const meanB = sum(b) / b.length
  let ab = 0
  let aa = 0
  let bb = 0
  for (let i = 0; i < a.length; i++) {
    const x = a[i]! - meanA
    const y = b[i]! - meanB
    ab += x * y
    aa += x * x
    bb += y * y
  }
  return aa === 0 || bb === 0 ? 1 : ab / Math.sqrt(aa * bb)
}

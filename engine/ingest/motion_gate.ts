import { MINIATURE } from './miniature.js'

/** Sides of a block, pixels of a miniature: at 1280x720 it is 64 by 36 pixels, half a car far away. */
const BLOCK = { width: 16, height: 9 } as const
const COLUMNS = MINIATURE.width / BLOCK.width
const ROWS = MINIATURE.height / BLOCK.height
/** Least mean difference of a block in which something moves, of 256 levels. */
const LEAST_DIFFERENCE = 2
/** So many times the noise of the picture moves. */
const NOISE_FACTOR = 3
/** Pictures are taken so long after the last movement: a car that stops is read while it stands, ms. */
const AFTER_MS = 2_000
/** At least one picture in so long is taken, ms: passes of parked cars go on, and a camera's pace stays known. */
const IDLE_MS = 1_000

/**
 * Lets pictures pass in which something moves, and of the others one a second. A picture is compared with the last one
 * that passed, so that what creeps adds up. It compares blocks, each with the noise of the whole: a change of light
 * changes all blocks, a car a few.
 */
export class MotionGate {
  #last: Uint8Array | undefined
  #passedAt = -Infinity
  #movedAt = -Infinity

  /** @param time when the picture was taken, ms @returns whether it passes */
  passes(miniature: Uint8Array, time: number): boolean {
    if (!this.#last || moves(this.#last, miniature)) this.#movedAt = time
    // A clock that was set back must not close the gate.
    const isIdle = time >= this.#passedAt && time - this.#passedAt < IDLE_MS * 0.95
    if (isIdle && time - this.#movedAt > AFTER_MS && time >= this.#movedAt) return false
    this.#last = miniature
    this.#passedAt = time
    return true
  }
}

/** Whether something moves from one miniature to the next. */
export function moves(before: Uint8Array, after: Uint8Array): boolean {
  const differences = new Float64Array(COLUMNS * ROWS)
  for (let y = 0; y < MINIATURE.height; y++) {
    const row = Math.floor(y / BLOCK.height) * COLUMNS
    for (let x = 0; x < MINIATURE.width; x++) {
      const at = y * MINIATURE.width + x
      const difference = after[at]! - before[at]!
      differences[row + (x >> 4)]! += difference < 0 ? -difference : difference
    }
  }
  const pixels = BLOCK.width * BLOCK.height
  const sorted = differences.slice().sort()
  const noise = sorted[sorted.length >> 1]! / pixels
  const most = sorted[sorted.length - 1]! / pixels
  return most > LEAST_DIFFERENCE + NOISE_FACTOR * noise
}

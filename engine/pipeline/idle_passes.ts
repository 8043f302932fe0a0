import type { OpenPass } from '../passes/pass.js'

/**
 * A camera that sends nothing for this long gets all its open passes stored, and is not looked at again until it sends.
 */
const QUIET_MS = 3_000
/** Nothing shorter is a rest: a car is hidden by another, a frame is too blurred to read. */
const SHORTEST_MS = 500
/**
 * So many of the camera's own intervals without a detection: at least one frame came, or should have come, without the
 * car.
 */
const INTERVALS = 1.5

interface Camera {
  /** When its last frame was applied, by the monotonic clock. */
  at: number
  /** Event time of its newest frame, and from the one before it to that, ms. Infinite while there was but one. */
  newest: number
  intervalMs: number
}

/**
 * Which open passes have come to rest: nothing was added for a while of real time. They are stored as they stand, so
 * that a read is in answers within two seconds of its car, long before the gap that closes its pass, and even if no
 * other frame ever comes. Clocks here are monotonic, in ms.
 */
export class IdlePasses {
  private readonly cameras = new Map<string, Camera>()
  private readonly touched = new WeakMap<OpenPass, number>()

  frame(name: string, capturedAt: number, now: number): void {
    const camera = this.cameras.get(name)
    if (!camera) return void this.cameras.set(name, { at: now, newest: capturedAt, intervalMs: Infinity })
    camera.at = now
    // Late frames say nothing about the pace of the others.
    if (capturedAt <= camera.newest) return
    camera.intervalMs = capturedAt - camera.newest
    camera.newest = capturedAt
  }

  /** A camera of which something is open, though it has sent nothing to this engine yet. */
  await(camera: string, now: number): void {
    this.cameras.set(camera, { at: now, newest: -Infinity, intervalMs: Infinity })
  }

  touch(pass: OpenPass, now: number): void {
    this.touched.set(pass, now)
  }

  /** Cameras that are not quiet, or were not when this was asked before. */
  *awake(now: number): Iterable<string> {
    for (const [name, { at }] of this.cameras) {
      if (now - at >= QUIET_MS) this.cameras.delete(name)
      yield name
    }
  }

  /** @param camera one that `awake` named */
  rests(camera: string, pass: OpenPass, now: number): boolean {
    const known = this.cameras.get(camera)
    // It has just gone quiet.
    if (known === undefined) return true
    const least = Math.min(QUIET_MS, Math.max(SHORTEST_MS, known.intervalMs * INTERVALS))
    return now - (this.touched.get(pass) ?? known.at) >= least
  }
}

import type { OpenPass } from '../passes/pass.js'

/** A pass that was never stored is idle after this long at most: its read must be found, however slow its camera is. */
const FIRST_MS = 3_000
/** Nothing shorter makes a pass idle: another car may hide it, or a frame may be too blurred to read. */
const SHORTEST_MS = 500
/** A pass is idle after this many of its camera's intervals: at least one frame came, or was due, without the car. */
const INTERVALS = 1.5

interface Camera {
  /** When its last frame was applied, by the monotonic clock. */
  at: number
  /** Its usual step from frame to frame, ms. Infinite when it is not known. */
  intervalMs: number
}

/**
 * Which open passes are idle: nothing was added for a while of real time. They are stored as they are, so that a read
 * can be queried within two seconds of its car, long before the gap that closes its pass, and even if no other frame
 * ever comes. A pass that was stored before and goes on is idle again only when its camera looked without seeing it: a
 * car that is parked before a slow camera is not stored with each frame. Clocks here are monotonic, in ms.
 */
export class IdlePasses {
  private readonly cameras = new Map<string, Camera>()
  private readonly touched = new WeakMap<OpenPass, number>()

  /** A frame of this camera was applied. @param intervalMs its usual step from frame to frame, if known */
  noteFrame(name: string, intervalMs = Infinity, now: number): void {
    const camera = this.cameras.get(name)
    if (!camera) return void this.cameras.set(name, { at: now, intervalMs })
    camera.at = now
    camera.intervalMs = intervalMs
  }

  /** A camera has open passes but has sent nothing to this engine yet. */
  expect(camera: string, now: number): void {
    this.cameras.set(camera, { at: now, intervalMs: Infinity })
  }

  /** A pass took a detection. */
  touch(pass: OpenPass, now: number): void {
    this.touched.set(pass, now)
  }

  /** Cameras that are not quiet, or were not at the previous call. */
  *active(now: number): Iterable<string> {
    for (const [name, camera] of this.cameras) {
      if (now - camera.at >= quietMs(camera)) this.cameras.delete(name)
      yield name
    }
  }

  /** @param camera one that `active` named */
  isIdle(camera: string, pass: OpenPass, now: number): boolean {
    const known = this.cameras.get(camera)
    // It has just gone quiet.
    if (known === undefined) return true
    const quiet = quietMs(known)
    const least = pass.state.stored ? quiet : Math.min(FIRST_MS, Math.max(SHORTEST_MS, known.intervalMs * INTERVALS))
    return now - (this.touched.get(pass) ?? known.at) >= least
  }
}

/** A camera that sends nothing for this long has all its open passes stored; it is asked about again when it sends. */
function quietMs({ intervalMs }: Camera): number {
  return intervalMs === Infinity ? FIRST_MS : Math.max(FIRST_MS, intervalMs * INTERVALS)
}

import { CAMERA_ID } from '../model/camera.js'
import { MINUTE_MS } from '../model/time.js'
import { CameraPasses, type CameraJson, type PassRules } from '../passes/camera_passes.js'

/** A camera without open passes that sent nothing for this long is kept as text, ms of the monotonic clock. */
const kIdleMs = MINUTE_MS
/** A camera that sent nothing for this long is forgotten, minutes: a day, and the hour that the ledger is counting. */
const kForgottenMinutes = 25 * 60

/** A state as text: `[minute since 1970 in which the camera last sent, its CameraJson]`. */
export const stateText = (passes: CameraPasses, now: number): string =>
  `[${Math.floor(now / MINUTE_MS)},${JSON.stringify(passes)}]`

export const parseState = (text: string): [minute: number, state: CameraJson] =>
  JSON.parse(text) as [number, CameraJson]

/** Under which name the state of a camera is kept: names that are no camera's share one. */
export const stateNameOf = (camera: string): string => (CAMERA_ID.test(camera) ? camera : '_invalid')

/**
 * The state of every camera of a partition. Those that send are objects; the others stay the text of their last
 * checkpoint until they send again: 100,000 known cameras cost little more than their names.
 */
export class CameraStates {
  private readonly working = new Map<string, { passes: CameraPasses; heardAt: number }>()

  /**
   * @param saved the last checkpoint of every camera, which CheckpointLog keeps up to date
   * @param now monotonic, ms. Cameras with open passes begin to work at once.
   */
  constructor(
    private readonly saved: ReadonlyMap<string, string>,
    private readonly rules: PassRules,
    now: number,
  ) {
    for (const [camera, text] of saved) if (hasOpenPasses(text)) this.get(camera, now)
  }

  /** The state of a camera that sends; a new one for an unknown camera. @param now monotonic, ms */
  get(camera: string, now: number): CameraPasses {
    const known = this.working.get(camera)
    if (known) {
      known.heardAt = now
      return known.passes
    }
    const text = this.saved.get(camera)
    const passes = text
      ? CameraPasses.fromJSON(parseState(text)[1], this.rules)
      : CameraPasses.empty(camera, this.rules)
    this.working.set(camera, { passes, heardAt: now })
    return passes
  }

  /** The state of a camera that works; undefined for one that is kept as text or unknown. */
  peek(camera: string): CameraPasses | undefined {
    return this.working.get(camera)?.passes
  }

  /** Cameras that work. */
  *all(): Iterable<CameraPasses> {
    for (const { passes } of this.working.values()) yield passes
  }

  /** How many work. */
  get workingCount(): number {
    return this.working.size
  }

  /** How many are known. */
  get size(): number {
    let unsaved = 0
    for (const camera of this.working.keys()) if (!this.saved.has(camera)) unsaved++
    return this.saved.size + unsaved
  }

  /**
   * Puts cameras that sent nothing for a while away. Everything but `busy` must be in `saved`.
   * @param now monotonic, ms
   * @param busy cameras with changes that no checkpoint has yet
   */
  settle(now: number, busy: ReadonlySet<string>): void {
    for (const [camera, { passes, heardAt }] of this.working)
      if (now - heardAt >= kIdleMs && passes.openCount === 0 && !busy.has(camera)) this.working.delete(camera)
  }

  /** Cameras that sent nothing for a long time. @param now wall time, ms */
  forgotten(now: number): string[] {
    const gone: string[] = []
    for (const [camera, text] of this.saved) {
      const minute = Number(text.slice(1, text.indexOf(',')))
      if (now / MINUTE_MS - minute > kForgottenMinutes && !this.working.has(camera)) gone.push(camera)
    }
    return gone
  }
}

/** Whether a state as text has an open pass. */
const hasOpenPasses = (text: string): boolean => text.includes('"readId"')

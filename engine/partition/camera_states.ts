import { CAMERA_ID } from '../model/camera.js'
import { MINUTE_MS } from '../model/time.js'
import { CameraPasses, type PassRules } from '../passes/camera_passes.js'
import type { Packed } from './packed.js'
import { isStored, loadState, openPassesOf, savedAt } from './saved_state.js'

/** A camera that sent nothing for this long is put away, ms of the monotonic clock. */
const kIdleMs = MINUTE_MS
/** A camera that left the registry and sent nothing for this long is not expected to send again, ms. */
const kQuietMs = 10_000
/** A camera that sent nothing for this long is forgotten: a day, and the hour that the ledger is counting. */
const kForgottenMs = 25 * 60 * MINUTE_MS

/** Under which name the state of a camera is kept: names that are no camera's share one. */
export const stateNameOf = (camera: string): string => (CAMERA_ID.test(camera) ? camera : '_invalid')

/**
 * The state of every camera of a partition. Those that send are objects; the others are put away, and remain what their
 * last checkpoint says until they send again: 100,000 known cameras cost some hundred bytes each.
 *
 *     sends ── a minute of silence, and all is stored ──► put away ── a day ──► forgotten
 *       ▲                                                    │
 *       └────────────────────── sends ───────────────────────┘
 */
export class CameraStates {
  private readonly working = new Map<string, { passes: CameraPasses; heardAt: number }>()
  /** How many open passes cameras have that are put away, all stored as they are. */
  private readonly openAway = new Map<string, number>()

  /**
   * @param saved the last checkpoint of every camera, which CheckpointLog keeps up to date
   * @param openedAt now, monotonic, ms. Cameras with a pass that is not stored begin to work at once.
   */
  constructor(
    private readonly saved: ReadonlyMap<string, Packed>,
    private readonly rules: PassRules,
    private readonly openedAt: number,
  ) {
    for (const [camera, state] of saved)
      if (!isStored(state)) this.get(camera, openedAt)
      else if (openPassesOf(state) > 0) this.openAway.set(camera, openPassesOf(state))
  }

  /** The state of a camera that sends; a new one for an unknown camera. @param now monotonic, ms */
  get(camera: string, now: number): CameraPasses {
    const known = this.working.get(camera)
    if (known) {
      known.heardAt = now
      return known.passes
    }
    const state = this.saved.get(camera)
    const passes = state ? loadState(camera, state, this.rules) : CameraPasses.empty(camera, this.rules)
    this.working.set(camera, { passes, heardAt: now })
    this.openAway.delete(camera)
    return passes
  }

  /** The state of a camera that works; undefined for one that is put away or unknown. */
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

  /** Open passes of all cameras. */
  get openPasses(): number {
    let sum = 0
    for (const passes of this.all()) sum += passes.openCount
    for (const count of this.openAway.values()) sum += count
    return sum
  }

  /** Whether a camera sent nothing for a while, in this tenure. @param now monotonic, ms */
  isQuiet(camera: string, now: number): boolean {
    return now - (this.working.get(camera)?.heardAt ?? this.openedAt) >= kQuietMs
  }

  /** Cameras with a vehicle in view, working or put away. */
  withOpenPasses(): string[] {
    const cameras = [...this.openAway.keys()]
    for (const { camera, openCount } of this.all()) if (openCount > 0) cameras.push(camera)
    return cameras
  }

  /** Whether a camera that is put away has a vehicle in view. */
  hasOpenPasses(camera: string): boolean {
    return this.openAway.has(camera)
  }

  /** Cameras that work and sent nothing for a while. @param now monotonic, ms */
  *idle(now: number): Iterable<CameraPasses> {
    for (const { passes, heardAt } of this.working.values()) if (now - heardAt >= kIdleMs) yield passes
  }

  /**
   * Puts cameras that sent nothing for a while away. Everything but `busy` must be in `saved`.
   * @param now monotonic, ms
   * @param busy cameras with changes that no checkpoint has yet
   */
  settle(now: number, busy: ReadonlySet<string>): void {
    for (const [camera, { passes, heardAt }] of this.working) {
      if (now - heardAt < kIdleMs || busy.has(camera) || !passes.isStored) continue
      this.working.delete(camera)
      if (passes.openCount > 0) this.openAway.set(camera, passes.openCount)
    }
  }

  /** Cameras that are put away and sent nothing for a long time. @param now wall time, ms */
  forgotten(now: number): string[] {
    const gone: string[] = []
    for (const [camera, state] of this.saved)
      if (now - savedAt(state) > kForgottenMs && !this.working.has(camera)) gone.push(camera)
    return gone
  }

  /** Drops a camera. Its checkpoint is dropped by the next one, which must name it as gone. */
  forget(camera: string): void {
    this.working.delete(camera)
    this.openAway.delete(camera)
  }
}

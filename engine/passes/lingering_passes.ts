import { OpenPass } from './pass.js'
import type { PassJson } from './pass_state.js'

/** A closed pass takes late detections until its camera's newest capture is this much newer, ms. */
const LINGER_MS = 15_000
/** Most lingering passes of a camera. */
const MOST = 8

interface Lingering {
  pass: OpenPass
  /** Event time of the camera's newest capture when it closed, ms. */
  at: number
  /** Its detections then. */
  frames: number
}

export type LingeringJson = PassJson & Pick<Lingering, 'at' | 'frames'>

/** A pass that lingers no more; `changed`: it took detections since it closed. */
export interface Ended {
  pass: OpenPass
  changed: boolean
}

/**
 * The passes of a camera that closed lately. A detection that comes late still joins the pass of its vehicle, which
 * gets another version of its read; a pass that took some closes once more when it lingers no longer.
 */
export class LingeringPasses {
  private constructor(private entries: Lingering[]) {}

  static empty(): LingeringPasses {
    return new LingeringPasses([])
  }

  get size(): number {
    return this.entries.length
  }

  get passes(): OpenPass[] {
    return this.entries.map(({ pass }) => pass)
  }

  /** @param newest event time of the camera's newest capture, ms */
  add(pass: OpenPass, newest: number): void {
    this.entries.push({ pass, at: newest, frames: pass.state.frames })
  }

  /** Takes the passes out that have lingered long enough, and those that are too many. */
  takeOver(newest: number): Ended[] {
    const { entries } = this
    if (entries.length === 0) return []
    const beyond = entries.length - MOST
    const isOver = ({ at }: Lingering, index: number) => index < beyond || newest - at > LINGER_MS
    if (!entries.some(isOver)) return []
    this.entries = entries.filter((entry, index) => !isOver(entry, index))
    return entries.filter(isOver).map(endedOf)
  }

  takeAll(): Ended[] {
    return this.entries.splice(0).map(endedOf)
  }

  toJSON(): LingeringJson[] {
    return this.entries.map(({ pass, at, frames }) => ({ at, frames, ...pass.toJSON() }))
  }

  /** @param json missing in the state of an older release */
  static fromJSON(json: readonly LingeringJson[] = []): LingeringPasses {
    return new LingeringPasses(json.map(({ at, frames, ...pass }) => ({ pass: OpenPass.fromJSON(pass), at, frames })))
  }
}

const endedOf = ({ pass, frames }: Lingering): Ended => ({ pass, changed: pass.state.frames !== frames })

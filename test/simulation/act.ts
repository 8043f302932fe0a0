import type { Cameras } from './cameras.js'
import type { Mapping } from './nats/subjects.js'
import type { Operator } from './operator.js'
import type { FindingKind } from './oracle.js'
import type { Random } from './random.js'
import type { CameraPlan } from './traffic.js'
import type { SettingsChanges, World } from './world.js'

/** What an act may act on. */
export interface Stage {
  world: World
  cameras: Cameras
  operator: Operator
  plans: readonly CameraPlan[]
  /** Cameras that send nothing after their plan, so that their last passes stay open. */
  silent: Set<string>
  /** While traffic runs, virtual time, ms. */
  from: number
  until: number
}

export interface Act {
  name: string
  what: string
  /** Whether the engine withstands it; acts that it does not withstand yet run only when they are asked for. */
  holds: boolean
  /** Share of the seeds in which it happens, if it holds. */
  share: number
  /** Findings that are right, such as an engine that refuses to start. */
  tolerates?: readonly FindingKind[]
  /** Changes what the run consists of. */
  configure?(config: RunConfig, random: Random): void
  /** Plans what happens during the run. */
  plan?(stage: Stage): void
}

/** What a run consists of. */
export interface RunConfig {
  engines: number
  settings: SettingsChanges
  natsVersion: string
  mappings: Mapping[]
  /** See `TrafficOptions`. */
  triggered: boolean
  slowFrames: boolean
  slowBytes: number
  /** The oracle waits at least this long after the faults have ended, ms. */
  leastCalmMs: number
  /** After the faults have ended, everything must be in order within this time, ms. */
  mostCalmMs: number
}

/** Runs `work` at `times` random instants while traffic runs. */
export function sometimes({ world, from, until }: Stage, times: number, work: () => void): void {
  for (let i = 0; i < times; i++) world.clock.schedule(world.random.acts.between(from, until) - world.clock.now, work)
}

/** Begins something at a random instant and ends it after a while. */
export function forAWhile(
  stage: Stage,
  times: number,
  lengths: [least: number, most: number],
  begin: () => () => void,
): void {
  const { clock, random } = stage.world
  sometimes(stage, times, () => {
    const end = begin()
    clock.schedule(random.acts.between(...lengths), end)
  })
}

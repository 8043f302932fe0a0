import type { Process, VirtualClock } from './clock.js'
import type { SimulatedDisks } from './disks.js'
import type { Random } from './random.js'
import type { SimulatedStore } from './store.js'

/** What the substitutes of the engine's modules need of the simulation. */
interface Surroundings {
  readonly clock: VirtualClock
  readonly random: { readonly engines: Random }
  readonly store: SimulatedStore
  readonly disks: SimulatedDisks
  /** Processes whose recognition threads do not start any more. */
  readonly brokenRecognizers: ReadonlySet<Process>
  /** Keys of frames of which no picture can be made. */
  readonly unrenderable: ReadonlySet<string>
}

let current: Surroundings | undefined

/** The simulation that runs. */
export function world(): Surroundings {
  if (!current) throw new Error('no simulation is running')
  return current
}

export function setWorld(next: Surroundings): void {
  current = next
}

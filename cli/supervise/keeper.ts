import { backoffMs, reasonOf, sleep } from '../../engine/runtime/mod.js'
import type { Exit, RunningPart } from './child.js'

export interface KeeperOptions {
  name: string
  /** Starts the part; `before` is what ran last, so that it can come back on the same port. */
  start(before: RunningPart | undefined): Promise<RunningPart>
  /** A sentence for the log: it died, it comes back. */
  say(text: string): void
  /** How long a stop may take, ms. */
  graceMs: number
  /** First pause before a restart, ms. @default 500 */
  firstPauseMs?: number
  /** No pause is longer, ms. @default 15000 */
  maxPauseMs?: number
}

/** A part that ran for this long was well: the next pause is the first one again, ms. */
const kWellMs = 60_000

/**
 * Keeps one part running: starts it, and starts it again after growing pauses (0.5 s to 15 s) when it dies. Ends only
 * when told.
 */
export class Keeper {
  readonly #options: KeeperOptions
  readonly #ending = new AbortController()
  #running: RunningPart | undefined
  #loop: Promise<void> | undefined

  constructor(options: KeeperOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  get running(): RunningPart | undefined {
    return this.#running
  }

  /** The first start must succeed. @throws what the part says */
  async start(): Promise<RunningPart> {
    const first = await this.#options.start(undefined)
    this.#running = first
    this.#loop = this.#keep(first)
    return first
  }

  async stop(): Promise<void> {
    this.#ending.abort()
    await this.#running?.stop(this.#options.graceMs)
    await this.#loop
  }

  async #keep(first: RunningPart): Promise<void> {
    const { name, say, firstPauseMs = 500, maxPauseMs = 15_000 } = this.#options
    const { signal } = this.#ending
    for (let last = first, failures = 0; ; ) {
      const since = performance.now()
      const exit = await last.exited
      this.#running = undefined
      if (signal.aborted) return
      if (performance.now() - since > kWellMs) failures = 0
      say(`${name} ended (${exitText(exit)}), starting it again`)
      for (;;) {
        await sleep(backoffMs(failures++, { firstMs: firstPauseMs, maxMs: maxPauseMs }), signal)
        if (signal.aborted) return
        try {
          last = await this.#options.start(last)
          break
        } catch (error) {
          say(`${name} does not start: ${reasonOf(error)}`)
        }
      }
      this.#running = last
      say(`${name} runs again`)
      // Told to stop while it started: it must not be left over.
      if (signal.aborted) await last.stop(this.#options.graceMs)
    }
  }
}

const exitText = ({ code, signal }: Exit): string => signal ?? `exit code ${code}`

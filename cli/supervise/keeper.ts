import { backoffMs, reasonOf, sleep } from '../../engine/runtime/mod.js'
import type { Exit, RunningPart } from './child.js'

export interface KeeperOptions {
  name: string
  /** Starts the part. `before` is the previous instance, so that the part can return on the same port. `signal`
   * ends the start. */
  start(before: RunningPart | undefined, signal?: AbortSignal): Promise<RunningPart>
  /** Logs that the part exited or runs again. */
  log(text: string): void
  /** How long a stop may take before the part is killed, ms. */
  graceMs: number
  /** First pause before a restart, ms. @default 500 */
  firstPauseMs?: number
  /** Longest pause before a restart, ms. @default 15000 */
  maxPauseMs?: number
}

/** After running this long, a part counts as stable and the pauses start from the first one, ms. */
const kStableMs = 60_000

/**
 * Keeps one part running: starts it, and restarts it after growing pauses (0.5 s to 15 s) when it exits, until
 * `stop()`.
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

  /**
   * Starts the part for the first time.
   * @param signal ends the start
   * @throws the error of the part if it does not start
   */
  async start(signal?: AbortSignal): Promise<RunningPart> {
    const first = await this.#options.start(undefined, signal)
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
    const { name, log, firstPauseMs = 500, maxPauseMs = 15_000 } = this.#options
    const { signal } = this.#ending
    for (let last = first, failures = 0; ; ) {
      const since = performance.now()
      const exit = await last.exited
      this.#running = undefined
      if (signal.aborted) return
      if (performance.now() - since > kStableMs) failures = 0
      log(`${name} exited (${exitText(exit)}), restarting it`)
      for (;;) {
        await sleep(backoffMs(failures++, { firstMs: firstPauseMs, maxMs: maxPauseMs }), signal)
        if (signal.aborted) return
        try {
          last = await this.#options.start(last, signal)
          break
        } catch (error) {
          log(`${name} does not start: ${reasonOf(error)}`)
        }
      }
      this.#running = last
      log(`${name} runs again`)
      // stop() was called while the part started: it must not be left running.
      if (signal.aborted) await last.stop(this.#options.graceMs)
    }
  }
}

const exitText = ({ code, signal }: Exit): string => signal ?? `exit code ${code}`

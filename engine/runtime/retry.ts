import { logReasonOf } from '../errors.js'
import { backoffMs, sleep } from './backoff.js'

/** Retries work that must not be lost until it succeeds or the process ends. */
export class Retry {
  /** What is being retried, by name, and why its last attempt failed: /readyz and /metrics show it. */
  readonly reasons: Record<string, string> = {}

  /** @param wording puts an error into words */
  constructor(
    private readonly log: { warn(fields: object, text: string): void; info(fields: object, text: string): void },
    private readonly wording: (error: unknown) => string = logReasonOf,
  ) {}

  /**
   * Runs `attempt` until it succeeds, with growing pauses of 0.1 to 10 s. The first failure and the recovery are
   * logged, not each attempt.
   * @throws the last error when `signal` aborts, or at once when `fatal` says that a retry is pointless
   */
  async until<T>(
    what: string,
    attempt: () => Promise<T>,
    signal: AbortSignal,
    fatal: (error: unknown) => boolean = () => false,
  ): Promise<T> {
    for (let failures = 0; ; failures++) {
      try {
        const result = await attempt()
        if (failures > 0) {
          delete this.reasons[what]
          this.log.info({ what, failures }, `${what} works again`)
        }
        return result
      } catch (error) {
        if (signal.aborted || fatal(error)) {
          delete this.reasons[what]
          throw error
        }
        const reason = this.wording(error)
        this.reasons[what] = reason
        if (failures === 0) this.log.warn({ what, reason }, `${what} fails, retrying with growing pauses`)
        await sleep(backoffMs(failures, { maxMs: 10_000 }), signal)
      }
    }
  }
}

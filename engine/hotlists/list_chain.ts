import { backoffMs, sleep } from '../runtime/backoff.js'
import type { HotList } from './hotlist.js'

/** A revision of a list's record in bucket HOTLISTS. */
export interface StoredList {
  revision: number
  /** When nats-server stored it, ms. */
  created: number
  record: HotList
}

/** The pauses between attempts grow to this, ms. */
const MAX_PAUSE_MS = 30_000

/**
 * Loads the revisions of one list, in their order, each until it succeeds or a later one replaces it. Lists do not wait
 * for each other.
 */
export class ListChain {
  private wanted: StoredList | undefined
  private attempt = new AbortController()
  private running = false
  private newest = 0
  private lastFailure: unknown
  private refusal: unknown

  /**
   * @param load puts a revision in force. The signal aborts when another content is wanted instead, or none
   * @param onFailure of an attempt. @param attempts failed so far, 1 or more
   */
  constructor(
    private readonly load: (stored: StoredList, signal: AbortSignal) => Promise<void>,
    private readonly onFailure: (error: unknown, stored: StoredList, attempts: number) => void,
  ) {}

  /** A revision is not in force yet. */
  get busy(): boolean {
    return this.wanted !== undefined
  }

  /** Why the newest revision is not in force: its record is not valid, or the last attempt failed. */
  get failure(): unknown {
    return this.refusal ?? this.lastFailure
  }

  /** Whether this revision, or a later one, was put or refused already. */
  knows(revision: number): boolean {
    return revision <= this.newest
  }

  put(stored: StoredList): void {
    const before = this.wanted
    this.newest = stored.revision
    this.wanted = stored
    // The content that is being loaded serves the new revision too, if only the rule has changed.
    if (before?.record.version !== stored.record.version || this.lastFailure !== undefined) this.attempt.abort()
    this.refusal = undefined
    if (!this.running) void this.run()
  }

  /** The newest revision is not a valid record: what was wanted before stays so, and the reason is reported. */
  refuse(revision: number, error: unknown): void {
    this.newest = revision
    this.refusal = error
  }

  /** The list was removed. */
  stop(): void {
    this.wanted = this.lastFailure = this.refusal = undefined
    this.attempt.abort()
  }

  private async run(): Promise<void> {
    this.running = true
    for (let attempts = 0; this.wanted; ) {
      const stored = this.wanted
      const { signal } = (this.attempt = new AbortController())
      try {
        await this.load(stored, signal)
        this.lastFailure = undefined
        attempts = 0
        if (this.wanted === stored) this.wanted = undefined
      } catch (error) {
        if (this.wanted !== stored) {
          attempts = 0
          continue
        }
        attempts += 1
        this.lastFailure = error
        this.onFailure(error, stored, attempts)
        await sleep(backoffMs(attempts - 1, { maxMs: MAX_PAUSE_MS }), signal)
      }
    }
    this.running = false
  }
}

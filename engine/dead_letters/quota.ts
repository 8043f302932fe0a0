import type { JetStreamManager } from 'nats'
import { deadSubject, STREAM } from '../nats/topology.js'

/** How much of a dead letter is kept. */
export type Kept = 'payload' | 'headers' | 'count'

/** By camera and reason: dead letters kept whole, and those kept at all. */
const kWithPayload = 100
const kLetters = 1_000
/** Above this share of its size limit, DEAD takes payloads only of cameras that have fewer than kFew there. */
const kCrowded = 0.5
const kFew = 3
/** Above this share of its size limit DEAD takes nothing more: its limit must never stop the partitions. */
export const DEAD_FULL = 0.95
/** For this long a number from the server is used, ms; what this engine adds meanwhile is counted. */
const kFresh = 10_000

/** One question to the server, shared by all who ask meanwhile. */
interface Asked<T> {
  at: number
  answer: Promise<T>
}

/**
 * How much of each dead letter stream DEAD keeps. A camera that nobody registered, or one whose clock is wrong, may
 * send ten frames a second for weeks: without a bound it fills DEAD, and then every partition waits. So the first
 * letters of a camera and reason are kept whole, the next ones with their headers, and of the others only the ledger
 * counts that they came. Letters that people redrive or drop make room again.
 */
export class DeadLetterQuota {
  private readonly counts = new Map<string, Asked<{ letters: number }>>()
  private share: Asked<number> = { at: -Infinity, answer: Promise.resolve(0) }

  constructor(private readonly manager: JetStreamManager) {}

  /** @throws when NATS does not answer */
  async admit(camera: string, reason: string): Promise<Kept> {
    const subject = deadSubject(camera, reason)
    const now = performance.now()
    const share = await this.fill(now)
    const count = await this.countOf(subject, now)
    if (count.letters >= kLetters || share > DEAD_FULL) return 'count'
    count.letters++
    const most = share > kCrowded ? kFew : kWithPayload
    return count.letters <= most ? 'payload' : 'headers'
  }

  private countOf(subject: string, now: number): Promise<{ letters: number }> {
    const known = this.counts.get(subject)
    if (known && now - known.at < kFresh) return known.answer
    const answer = this.manager.streams
      .info(STREAM.dead, { subjects_filter: subject })
      .then(({ state }) => ({ letters: state.subjects?.[subject] ?? 0 }))
    answer.catch(() => this.counts.delete(subject))
    for (const [other, { at }] of this.counts) if (now - at >= kFresh) this.counts.delete(other)
    this.counts.set(subject, { at: now, answer })
    return answer
  }

  private fill(now: number): Promise<number> {
    if (now - this.share.at < kFresh) return this.share.answer
    const answer = this.manager.streams
      .info(STREAM.dead)
      .then(({ config, state }) => (config.max_bytes > 0 ? state.bytes / config.max_bytes : 0))
    this.share = { at: now, answer }
    answer.catch(() => {
      this.share.at = -Infinity
    })
    return answer
  }
}

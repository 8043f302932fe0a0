import { createHash } from 'node:crypto'

/**
 * Most ids that are remembered: what a camera with 30 frames per second sends in 4 s, the usual wait for an
 * acknowledgement.
 */
const MOST = 128
/**
 * For this long an id means the same message, ms: retries come sooner; a camera that restarts its numbering comes
 * later.
 */
const WITHIN_MS = 60_000
/** Length of a digest: one of a camera's frames in 10^12 is mistaken for another. */
const BYTES = 6
const CHARACTERS = (BYTES / 3) * 4
/** Digits of seconds since 1970 in base 36, from 1992 to 2059. */
const TIME_CHARACTERS = 6

/**
 * The ids of a camera's last messages (`Nats-Msg-Id`), and when they arrived. nats-server drops a second message with
 * the same id, but not always: when a server of a cluster dies between storing a message and acknowledging it, the next
 * leader may store it again. Here such a message counts once.
 */
export class RecentIds {
  private constructor(private readonly arrived: Map<string, number>) {}

  static empty(): RecentIds {
    return new RecentIds(new Map())
  }

  /**
   * Notes an id. A message without one always counts.
   * @param at when it arrived, ms by the servers' clocks
   * @returns false when the id is known: the message came for the second time
   */
  add(id: string | undefined, at: number): boolean {
    if (id === undefined) return true
    const { arrived } = this
    // A Map keeps the order of insertion: the oldest are first.
    for (const [old, then] of arrived) {
      if (then >= at - WITHIN_MS && arrived.size < MOST) break
      arrived.delete(old)
    }
    const short = createHash('sha1').update(id).digest().toString('base64url', 0, BYTES)
    if (arrived.has(short)) return false
    arrived.set(short, at)
    return true
  }

  /** One string, oldest first. */
  toJSON(): string {
    return [...this.arrived]
      .map(
        ([short, at]) =>
          `${short}${Math.trunc(at / 1_000)
            .toString(36)
            .padStart(TIME_CHARACTERS, '0')}`,
      )
      .join('')
  }

  /** @param text missing in the state of an older version */
  static fromJSON(text = ''): RecentIds {
    const size = CHARACTERS + TIME_CHARACTERS
    return new RecentIds(
      new Map(
        Array.from({ length: Math.floor(text.length / size) }, (_, n) => {
          const one = text.slice(n * size, (n + 1) * size)
          return [one.slice(0, CHARACTERS), Number.parseInt(one.slice(CHARACTERS), 36) * 1_000]
        }),
      ),
    )
  }
}

import { createHash } from 'node:crypto'

/**
 * Messages that are remembered at most: what a camera of 30 frames a second sends in 4 s, the usual wait for an
 * acknowledgement.
 */
const MOST = 128
/**
 * So long after a message its id means the same message, ms: retries come sooner; a camera that starts its numbers anew
 * comes later.
 */
const WITHIN_MS = 60_000
/** Of a digest: one of a camera's frames in 10^12 would be taken for another. */
const BYTES = 6
const CHARACTERS = (BYTES / 3) * 4
/** Seconds since 1970 in base 36 have so many, from 1992 to 2059. */
const TIME_CHARACTERS = 6

/**
 * The ids under which a camera sent its last messages (`Nats-Msg-Id`), and when they arrived. nats-server drops what is
 * sent twice under one id, but not always: when a server of a cluster dies between taking a message and acknowledging
 * it, the next leader may take it again. A message counts once all the same.
 */
export class RecentIds {
  private constructor(private readonly arrived: Map<string, number>) {}

  static empty(): RecentIds {
    return new RecentIds(new Map())
  }

  /**
   * Notes an id. A message without one always counts.
   * @param at when it arrived, ms by the servers' clocks
   * @returns false when it is known: the message is here for the second time
   */
  add(id: string | undefined, at: number): boolean {
    if (id === undefined) return true
    const { arrived } = this
    // A Map keeps the order of coming: the oldest are first.
    for (const [old, then] of arrived) {
      if (then >= at - WITHIN_MS && arrived.size < MOST) break
      arrived.delete(old)
    }
    const short = createHash('sha1').update(id).digest().toString('base64url', 0, BYTES)
    if (arrived.has(short)) return false
    arrived.set(short, at)
    return true
  }

  /** One text, oldest first. */
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

  /** @param text none in the state that an older version left */
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

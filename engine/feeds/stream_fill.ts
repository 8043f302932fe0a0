import type { JetStreamManager } from 'nats'

/** A number from the server is used this long, ms; one that says that there is no room, for less. */
const kFreshMs = 500
const kFullMs = 100
/** Recorded frames fill this share of a stream at most: they can wait, cameras cannot. */
const kShare = 0.5

/** How full the streams are that recorded frames are published to. */
export class StreamFill {
  readonly #known = new Map<string, { at: number; bytes: number; limit: number }>()

  constructor(private readonly manager: Promise<JetStreamManager>) {}

  /** Whether a message of so many bytes may follow. It then counts as published. */
  async hasRoom(stream: string, bytes: number): Promise<boolean> {
    let known = this.#known.get(stream)
    const age = known ? performance.now() - known.at : Infinity
    if (!known || age > kFreshMs || (age > kFullMs && !fits(known, bytes))) {
      known = await this.#ask(stream)
      this.#known.set(stream, known)
    }
    if (!fits(known, bytes)) return false
    known.bytes += bytes
    return true
  }

  /** A user who may not ask finds room everywhere. */
  async #ask(stream: string): Promise<{ at: number; bytes: number; limit: number }> {
    const at = performance.now()
    try {
      const { config, state } = await (await this.manager).streams.info(stream)
      return { at, bytes: state.bytes, limit: config.max_bytes }
    } catch {
      return { at, bytes: 0, limit: 0 }
    }
  }
}

/** A large message must fit into a stream that is nearly empty. */
const fits = ({ bytes, limit }: { bytes: number; limit: number }, more: number): boolean =>
  limit <= 0 || bytes + Math.min(more, (limit * kShare) / 2) <= limit * kShare

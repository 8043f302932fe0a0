import type { NatsConnection, StreamInfo } from 'nats'
import { DEAD_FULL } from '../../engine/mod.js'
import { reasonOf, sleep } from '../../engine/runtime/mod.js'
import type { NatsTask } from '../live/nats_link.js'

/** How full a stream is that refuses publishers rather than drop messages. */
export interface StreamRoom {
  stream: string
  /** Used share of its bound, 0 to 1. */
  share: number
  /** Since when a message of the usual size is refused, or not kept: wall clock, ms. */
  fullSince?: number
}

/** The streams are looked at this often, ms. */
const POLL_MS = 2_000
/** One that does not answer for this long counts as unknown, ms. */
const TIMEOUT_MS = 5_000

/** Follows how full the streams of the entrances and of dead letters are. */
export class StreamRooms {
  #rooms: StreamRoom[] = []
  #problem = ''

  /** By name. The last known state stays while NATS is unreachable. */
  all(): readonly StreamRoom[] {
    return this.#rooms
  }

  full(): StreamRoom[] {
    return this.#rooms.filter(({ fullSince }) => fullSince !== undefined)
  }

  /** Why the streams cannot be looked at; empty when they can. */
  problem(): string {
    return this.#problem
  }

  readonly task: NatsTask = async (nats, signal) => {
    while (!signal.aborted) {
      try {
        this.update(await boundedStreams(nats))
        this.#problem = ''
      } catch (error) {
        if (!signal.aborted) this.#problem = reasonOf(error)
        throw error
      }
      await sleep(POLL_MS, signal)
    }
  }

  update(streams: readonly StreamInfo[], now = Date.now()): void {
    const before = new Map(this.#rooms.map(({ stream, fullSince }) => [stream, fullSince]))
    this.#rooms = streams
      .filter(isBounded)
      .map(({ config: { name, max_bytes: most }, state: { bytes, messages } }) => ({
        stream: name,
        share: bytes / most,
        ...(isFull(name, bytes, messages, most) && { fullSince: before.get(name) ?? now }),
      }))
    this.#rooms.sort((a, b) => a.stream.localeCompare(b.stream))
  }
}

/** DEAD takes nothing above a share of its bound: it never refuses an engine. */
const isFull = (name: string, bytes: number, messages: number, most: number): boolean =>
  name === 'DEAD' ? bytes > DEAD_FULL * most : messages > 0 && bytes + bytes / messages > most

/** One sentence for people, without a full stop. */
export const fullText = ({ stream, fullSince = 0 }: StreamRoom): string =>
  `stream ${stream} is full since ${new Date(fullSince).toISOString()}: ` +
  (stream === 'DEAD'
    ? 'the ledger counts what fails, and nothing of it is kept, until dead letters are redriven or dropped'
    : 'its publishers are refused')

/** A closed stream (of an earlier number of partitions) takes nothing and is worked off. */
const isBounded = ({ config: { discard, max_bytes: most, subjects } }: StreamInfo): boolean =>
  discard === 'new' && most > 0 && !subjects?.every((subject) => subject.startsWith('closed.'))

async function boundedStreams(nats: NatsConnection): Promise<StreamInfo[]> {
  const manager = await nats.jetstreamManager({ timeout: TIMEOUT_MS })
  const streams: StreamInfo[] = []
  for await (const info of manager.streams.list()) streams.push(info)
  return streams
}

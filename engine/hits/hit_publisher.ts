import { headers, type JetStreamClient, type JetStreamManager, type NatsConnection } from 'nats'
import type { Hit } from '../model/hit.js'
import { findNext } from '../nats/find_message.js'
import { HEADER, hitsSubject, STREAM } from '../nats/topology.js'
import type { DecidedHit } from './decided_hit.js'
import { hitMessage, type HitMessage } from './hit_message.js'

/** Room for the headers of a hit, bytes: its id has a pattern of up to 128 characters. */
const HIT_HEADER_BYTES = 1_024

/**
 * Publishes decided hits on stream HITS, each once. The server knows the ids of the last hour; what may have been
 * published before that is looked for on the stream.
 */
export class HitPublisher {
  private constructor(
    private readonly connection: NatsConnection,
    private readonly js: JetStreamClient,
    private readonly manager: JetStreamManager,
    /** A sequence of HITS that is in use: what is published from now on is behind it. */
    private last: number,
  ) {}

  /** @throws when NATS does not answer */
  static async open(connection: NatsConnection, manager: JetStreamManager): Promise<HitPublisher> {
    const { state } = await manager.streams.info(STREAM.hits)
    return new HitPublisher(connection, connection.jetstream(), manager, state.last_seq)
  }

  get after(): number {
    return this.last
  }

  /** The hit as the server takes it now; undefined when not even a part of it fits. */
  messageOf(hit: Hit): HitMessage | undefined {
    // The limit may be another one after a reconnect.
    return hitMessage(hit, (this.connection.info?.max_payload ?? 1_048_576) - HIT_HEADER_BYTES)
  }

  /**
   * @param again an earlier attempt may have succeeded
   * @returns the hit as published; undefined when it does not fit
   * @throws when NATS does not answer
   */
  async publish(decided: DecidedHit, again: boolean): Promise<Hit | undefined> {
    const { hit } = decided
    const message = this.messageOf(hit)
    if (!message) return undefined
    if (again && (await this.isPublished(decided))) return message.hit
    const header = headers()
    header.set(HEADER.msgId, `${hit.hitId}.${hit.revision}.${hit.listVersion}`)
    const subject = hitsSubject(hit.list, hit.camera)
    const { seq } = await this.js.publish(subject, message.payload, { headers: header, timeout: 5_000 })
    this.last = seq
    return message.hit
  }

  private async isPublished({ hit: { hitId, revision, list, camera }, after }: DecidedHit): Promise<boolean> {
    const subject = hitsSubject(list, camera)
    for (let seq = after + 1; ; ) {
      const found = await findNext(this.manager, STREAM.hits, seq, subject)
      if (!found) return false
      const one = found.json<Hit>()
      if (one.hitId === hitId && one.revision === revision) return true
      seq = found.seq + 1
    }
  }
}

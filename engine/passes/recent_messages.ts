import { HEADER } from '../nats/topology.js'
import type { CameraMessage } from '../model/capture.js'
import { digestOf } from './digest.js'

/** Fewest and most messages that are remembered: 64 are more than two seconds of 25 frames per second. */
const FEWEST = 16
const MOST = 64
/** In between, those of this much time, ms: after it a message that was not acknowledged is sent again. */
const WITHIN_MS = 5_000
/** Length of a digest in a checkpoint. */
const BYTES = 5

/**
 * The last messages of a camera, by content: captured time and payload. nats-server drops a second message with the
 * same `Nats-Msg-Id`, but not one that comes after two minutes or without an id, nor one that it stored but did not
 * acknowledge before it died. Here such a message counts once. One of 10^9 that come out of order is mistaken for
 * another; a message that is newer than all others is never asked about.
 */
export class RecentMessages {
  private constructor(private readonly digests: number[]) {}

  static empty(): RecentMessages {
    return new RecentMessages([])
  }

  has(digest: number): boolean {
    return this.digests.includes(digest)
  }

  /** @param intervalMs the camera's usual time from one message to the next; 0 if it is not known */
  add(digest: number, intervalMs: number): void {
    const { digests } = this
    digests.push(digest)
    const most = Math.min(MOST, Math.max(FEWEST, Math.ceil(WITHIN_MS / intervalMs)))
    if (digests.length > most) digests.splice(0, digests.length - most)
  }

  /** Oldest first. */
  toJSON(): Uint8Array {
    const bytes = Buffer.alloc(this.digests.length * BYTES)
    this.digests.forEach((digest, n) => bytes.writeUIntLE(digest, n * BYTES, BYTES))
    return bytes
  }

  /** @param json missing in the state of an older release */
  static fromJSON(json: Uint8Array = new Uint8Array()): RecentMessages {
    const bytes = Buffer.from(json)
    return new RecentMessages(
      Array.from({ length: Math.floor(bytes.length / BYTES) }, (_, n) => bytes.readUIntLE(n * BYTES, BYTES)),
    )
  }
}

/** The digest of a message with a valid captured time: whoever sends it again sends the same. */
export const contentDigest = ({ header, payload }: Pick<CameraMessage, 'header' | 'payload'>): number =>
  digestOf(header(HEADER.capturedAt) ?? '', payload)

/**
 * The digest of a message that was rejected. A camera may send an invalid one again and again, and a dead letter comes
 * again when it is redriven, without an id: only one with the same `Nats-Msg-Id` is the same.
 */
export function rejectedDigest(message: Pick<CameraMessage, 'header' | 'payload'>): number | undefined {
  const id = message.header(HEADER.msgId)
  return id === undefined ? undefined : digestOf(`${id} ${message.header(HEADER.capturedAt) ?? ''}`, message.payload)
}

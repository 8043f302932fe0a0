import type { NatsConnection } from 'nats'
import { backoffMs, sleep } from '../runtime/backoff.js'

/**
 * JPEGs of frames that may be needed for a picture: those with detections since the last checkpoint, and the best views
 * of open passes. All partitions of an engine share 64 MiB; above that, the oldest frames leave and `get` reads them
 * from the stream, which keeps a frame until its pass is stored.
 */
export class FrameCache {
  /** Oldest first. */
  private readonly frames = new Map<string, { jpeg: Uint8Array; owner: PartitionFrames; seq: number }>()
  private bytes = 0

  static readonly MAX_BYTES = 67_108_864

  constructor(
    private readonly connection: Pick<NatsConnection, 'request'>,
    private readonly maxBytes = FrameCache.MAX_BYTES,
  ) {}

  /** The frames of one tenure of a partition. @param stream the partition's stream */
  of(stream: string): PartitionFrames {
    return new PartitionFrames(this, stream)
  }

  /** Bytes in the cache. */
  get held(): number {
    return this.bytes
  }

  keep(owner: PartitionFrames, seq: number, jpeg: Uint8Array): void {
    // The stream delivers a frame again after a partition changed owners.
    this.forget(owner.keyOf(seq))
    this.bytes += jpeg.length
    this.frames.set(owner.keyOf(seq), { jpeg, owner, seq })
    for (const oldest of this.frames.keys()) {
      if (this.bytes <= this.maxBytes) break
      this.forget(oldest)
    }
  }

  drop(owner: PartitionFrames, upTo: number, needed: ReadonlySet<number>): void {
    for (const [key, kept] of this.frames)
      if (kept.owner === owner && kept.seq <= upTo && !needed.has(kept.seq)) this.forget(key)
  }

  async get(owner: PartitionFrames, seq: number): Promise<Uint8Array | undefined> {
    const recent = this.frames.get(owner.keyOf(seq))
    if (recent) return recent.jpeg
    for (let attempt = 0; ; attempt++) {
      // The direct-get API returns the raw message, not base64 in JSON.
      const reply = await this.connection.request(`$JS.API.DIRECT.GET.${owner.stream}`, JSON.stringify({ seq }), {
        timeout: 5_000,
      })
      const status = reply.headers?.code ?? 0
      if (status === 0) return reply.data
      // A server that answers but never with the frame must not hold the partition: the read is stored without it.
      if (status === kNotFound || attempt === kAttempts) return undefined
      await sleep(backoffMs(attempt, { firstMs: 250 }))
    }
  }

  private forget(key: string): void {
    this.bytes -= this.frames.get(key)?.jpeg.length ?? 0
    this.frames.delete(key)
  }
}

/** The frames of one tenure of a partition in the cache that all partitions of an engine share. */
export class PartitionFrames {
  constructor(
    private readonly cache: FrameCache,
    readonly stream: string,
  ) {}

  keyOf(seq: number): string {
    return `${this.stream}:${seq}`
  }

  keep(seq: number, jpeg: Uint8Array): void {
    this.cache.keep(this, seq, jpeg)
  }

  /** Drops the frames up to a sequence, except those that are still needed. */
  drop(upTo = Infinity, needed: ReadonlySet<number> = NONE): void {
    this.cache.drop(this, upTo, needed)
  }

  /** The JPEG of a frame, from the cache or the stream; undefined when the stream does not return it. */
  get(seq: number): Promise<Uint8Array | undefined> {
    return this.cache.get(this, seq)
  }
}

const NONE: ReadonlySet<number> = new Set()
const kNotFound = 404
/** Attempts for one frame after the first: about 4 s. */
const kAttempts = 4

import type { NatsConnection } from 'nats'
import { STREAM } from '../nats/topology.js'

interface CachedFrame {
  jpeg: Uint8Array
  /** The tenure of a partition that added the frame and drops it when it is no longer needed. */
  owner: object
}

/**
 * JPEGs of frames that may be needed for a picture: those with detections since the last checkpoint, and the best views
 * of open passes. All partitions of an engine share 64 MiB; above that, the oldest frames leave and `get` reads them
 * from the stream, which keeps a frame until its pass is stored.
 */
export class FrameCache {
  private readonly frames = new Map<number, CachedFrame>()
  private bytes = 0

  static readonly MAX_BYTES = 67_108_864

  constructor(
    private readonly connection: Pick<NatsConnection, 'request'>,
    private readonly maxBytes = FrameCache.MAX_BYTES,
  ) {}

  keep(owner: object, seq: number, jpeg: Uint8Array): void {
    // The stream delivers a frame again after a partition changed owners.
    this.forget(seq)
    this.bytes += jpeg.length
    this.frames.set(seq, { jpeg, owner })
    for (const oldest of this.frames.keys()) {
      if (this.bytes <= this.maxBytes) break
      this.forget(oldest)
    }
  }

  /** Drops the frames of an owner up to a sequence, except those that are still needed. */
  drop(owner: object, upTo = Infinity, needed: ReadonlySet<number> = NONE): void {
    for (const [seq, kept] of this.frames) if (kept.owner === owner && seq <= upTo && !needed.has(seq)) this.forget(seq)
  }

  /** Bytes in the cache. */
  get held(): number {
    return this.bytes
  }

  /** The JPEG of a frame, from the cache or the stream; undefined when the stream no longer has it. */
  async get(seq: number): Promise<Uint8Array | undefined> {
    const recent = this.frames.get(seq)
    if (recent) return recent.jpeg
    // The direct-get API returns the raw message, not base64 in JSON.
    const reply = await this.connection.request(`$JS.API.DIRECT.GET.${STREAM.frames}`, JSON.stringify({ seq }), {
      timeout: 5_000,
    })
    const status = reply.headers?.code ?? 0
    if (status === 404) return undefined
    if (status !== 0)
      throw new Error(`stream ${STREAM.frames} does not return message ${seq}: ${reply.headers?.description}`)
    return reply.data
  }

  private forget(seq: number): void {
    this.bytes -= this.frames.get(seq)?.jpeg.length ?? 0
    this.frames.delete(seq)
  }
}

const NONE: ReadonlySet<number> = new Set()

import type { NatsConnection } from 'nats'
import { STREAM } from '../nats/topology.js'

interface Kept {
  jpeg: Uint8Array
  /** Whoever put it there and will say when it is of no more use: a tenure of a partition. */
  owner: object
}

/**
 * JPEGs of frames that may yet be wanted for a picture: those with detections since the last checkpoint, and those that
 * show an open pass best. Up to 64 MiB in an engine, of all its partitions together; when there are more, older ones
 * are asked back from the stream, which holds them until the pass that shows them is stored.
 */
export class FrameCache {
  private readonly frames = new Map<number, Kept>()
  private bytes = 0

  static readonly MAX_BYTES = 67_108_864

  constructor(
    private readonly connection: Pick<NatsConnection, 'request'>,
    private readonly maxBytes = FrameCache.MAX_BYTES,
  ) {}

  keep(owner: object, seq: number, jpeg: Uint8Array): void {
    // a frame that was delivered again, after a partition changed hands
    this.forget(seq)
    this.bytes += jpeg.length
    this.frames.set(seq, { jpeg, owner })
    for (const oldest of this.frames.keys()) {
      if (this.bytes <= this.maxBytes) break
      this.forget(oldest)
    }
  }

  /** Gives back what an owner kept up to a sequence, but for those that are still wanted. */
  drop(owner: object, upTo = Infinity, wanted: ReadonlySet<number> = NONE): void {
    for (const [seq, kept] of this.frames) if (kept.owner === owner && seq <= upTo && !wanted.has(seq)) this.forget(seq)
  }

  /** Bytes kept now. */
  get held(): number {
    return this.bytes
  }

  /** Undefined when the stream no longer has it. */
  async get(seq: number): Promise<Uint8Array | undefined> {
    const recent = this.frames.get(seq)
    if (recent) return recent.jpeg
    // The server's direct-get API: the message as it is, not as base64 in JSON.
    const answer = await this.connection.request(`$JS.API.DIRECT.GET.${STREAM.frames}`, JSON.stringify({ seq }), {
      timeout: 5_000,
    })
    const status = answer.headers?.code ?? 0
    if (status === 404) return undefined
    if (status !== 0)
      throw new Error(`stream ${STREAM.frames} does not give message ${seq}: ${answer.headers?.description}`)
    return answer.data
  }
  private forget(seq: number): void {
    this.bytes -= this.frames.get(seq)?.jpeg.length ?? 0
    this.frames.delete(seq)
  }
}

const NONE: ReadonlySet<number> = new Set()

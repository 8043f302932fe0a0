import type { NatsConnection } from 'nats'
import { STREAM } from '../nats/topology.js'

/**
 * JPEGs of frames that may yet be wanted for a picture: the newest with detections, up to 64 MiB in an engine, of all its partitions together;
 * older ones are asked back from the stream, which holds them until the pass that shows them is stored.
 */
export class RecentFrames {
  private readonly frames = new Map<number, Uint8Array>()
  private bytes = 0

  static readonly MAX_BYTES = 67_108_864

  constructor(private readonly connection: Pick<NatsConnection, 'request'>, private readonly maxBytes = RecentFrames.MAX_BYTES) {}

  keep(seq: number, jpeg: Uint8Array): void {
    // a frame that was delivered again, after a partition changed hands
    this.bytes += jpeg.length - (this.frames.get(seq)?.length ?? 0)
    this.frames.set(seq, jpeg)
    for (const [oldest, bytes] of this.frames) {
      if (this.bytes <= this.maxBytes) break
      this.frames.delete(oldest)
      this.bytes -= bytes.length
    }
  }

  /** Undefined when the stream no longer has it. */
  async get(seq: number): Promise<Uint8Array | undefined> {
    const recent = this.frames.get(seq)
    if (recent) return recent
    // The server's direct-get API: the message as it is, not as base64 in JSON.
    const answer = await this.connection.request(`$JS.API.DIRECT.GET.${STREAM.frames}`, JSON.stringify({ seq }), { timeout: 5_000 })
    const status = answer.headers?.code ?? 0
    if (status === 404) return undefined
    if (status !== 0) throw new Error(`stream ${STREAM.frames} does not give message ${seq}: ${answer.headers?.description}`)
    return answer.data
  }
}

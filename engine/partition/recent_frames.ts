import type { JetStreamManager } from 'nats'
import { STREAM } from '../nats/topology.js'

/**
 * JPEGs of frames that may yet be wanted for a picture: the newest with detections, up to 64 MiB; older ones are asked back from the stream,
 * which holds them until the pass that shows them is stored.
 */
export class RecentFrames {
  private readonly frames = new Map<number, Uint8Array>()
  private bytes = 0

  constructor(private readonly manager: JetStreamManager) {}

  static readonly MAX_BYTES = 67_108_864

  keep(seq: number, jpeg: Uint8Array): void {
    this.frames.set(seq, jpeg)
    this.bytes += jpeg.length
    for (const [oldest, bytes] of this.frames) {
      if (this.bytes <= RecentFrames.MAX_BYTES) break
      this.frames.delete(oldest)
      this.bytes -= bytes.length
    }
  }

  /** Undefined when the stream no longer has it. */
  async get(seq: number): Promise<Uint8Array | undefined> {
    const recent = this.frames.get(seq)
    if (recent) return recent
    try {
      return (await this.manager.direct.getMessage(STREAM.frames, { seq })).data
    } catch (error) {
      const code = (error as { api_error?: { err_code?: number }; code?: string }).api_error?.err_code ?? (error as { code?: string }).code
      if (code === kNoMessage || code === '404') return undefined
      throw error
    }
  }
}

const kNoMessage = 10_037

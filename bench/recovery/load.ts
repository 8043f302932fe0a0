import { sleep } from '../../engine/runtime/mod.js'
import type { FeedFrames } from '../system/feed_frames.js'
import { framesStored } from '../system/ledger.js'
import { publishFrame } from '../system/publish_frame.js'
import { PublishWindow } from '../system/publish_window.js'
import type { BenchSystem } from '../system/system.js'

/** Frames that wait on the stream, so that the engine never waits: some seconds of work. */
const kBacklog = 600

/** Publishes frames flat out, with a bounded backlog. */
export class Load {
  private sent = 0
  private stored = 0
  private over = false
  private running: Promise<void> = Promise.resolve()

  constructor(
    private readonly system: BenchSystem,
    private readonly feed: FeedFrames,
  ) {}

  start(): void {
    this.running = this.run()
  }

  /** @returns acknowledged frames */
  async stop(): Promise<number> {
    this.over = true
    await this.running
    return this.sent
  }

  /** Frames in the ledger; the latest known number while the store does not answer. The backlog is bounded by it. */
  async countStored(): Promise<number> {
    this.stored = await framesStored(this.system.store).catch(() => this.stored)
    return this.stored
  }

  private async run(): Promise<void> {
    const { frames, durationMs } = this.feed
    // Event time starts far enough in the past that it never reaches the present.
    const start = Date.now() - 30 * 86_400_000
    const publishes = new PublishWindow()
    for (let i = 0; !this.over; i++) {
      while (i - this.stored > kBacklog && !this.over) await sleep(20)
      const frame = frames[i % frames.length]!
      const capturedAt = start + Math.floor(i / frames.length) * durationMs + frame.offsetMs
      publishes.add(publishFrame(this.system.connection, frame, capturedAt, `recovery-${start}-${i}`))
      this.sent = i + 1
      const wait = publishes.room()
      if (wait) await wait
    }
    await publishes.drained()
  }
}

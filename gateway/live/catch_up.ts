import { backoffMs, sleep } from '../../engine/runtime/mod.js'
import type { Backlog } from './backlog.js'
import type { HitFeed } from './hit_feed.js'
import type { RingEntry } from './ring.js'
import type { SendWindow } from './send_window.js'

/** Entries of one batch from the stream. */
const BATCH = 256

/** The console that catches up. */
export interface CatchUpTarget {
  /** Last sequence sent or filtered out. */
  cursor(): number
  /** Queues the entry, unless the filter drops it, and moves the cursor to it. */
  deliver(entry: RingEntry): void
  /** Everything up to this sequence has been delivered. */
  advanceTo(seq: number): void
  /** The ring holds everything after the cursor. Called in the same turn as that is checked: the ring moves on. */
  goLive(): void
}

/**
 * Sends a console the hits that are older than the ring, batch by batch from the stream, until the ring covers its
 * cursor. Retries for as long as NATS is unreachable. Ends early, without an error, when the signal fires.
 */
export async function catchUp(
  target: CatchUpTarget,
  { feed, backlog, window }: { feed: HitFeed; backlog: Backlog; window: SendWindow },
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; !signal.aborted; ) {
    if (target.cursor() >= feed.ring!.baseSeq) return target.goLive()
    try {
      const { entries, through } = await backlog.batch(feed.epoch, target.cursor(), BATCH, signal)
      for (const entry of entries) {
        while (!signal.aborted && !window.hasRoom) await window.waitForRoom()
        if (signal.aborted) return
        target.deliver(entry)
        window.flush()
      }
      if (signal.aborted) return
      target.advanceTo(through)
      attempt = 0
    } catch {
      // NATS is unreachable, or the stream is being replaced: the status message reports it.
      await sleep(backoffMs(attempt++), signal)
    }
  }
}

import type { Hit } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { Latency } from '../report/latency.js'
import { showProgress } from '../report/table.js'
import type { FeedFrames } from '../system/feed_frames.js'
import { untilStored } from '../system/ledger.js'
import { atPace } from '../system/pace.js'
import { publishFrame } from '../system/publish_frame.js'
import { PublishWindow } from '../system/publish_window.js'
import type { BenchSystem } from '../system/system.js'

/**
 * Publishes at a fixed rate. The delay of a hit counts from the intended send time of the frame that made it.
 * @param storedBefore frames in the ledger from earlier parts
 * @returns the delays, and by how many ms the sender fell behind its pace at most
 */
export async function publishAtRate(
  system: BenchSystem,
  feed: FeedFrames,
  rate: number,
  seconds: number,
  storedBefore: number,
): Promise<{ latency: Latency; lateMs: number }> {
  const latency = new Latency()
  const start = Date.now() + 200
  const hits = system.connection.subscribe('hits.>', {
    callback: (_, message) => {
      const hit = message.json<Hit>()
      if (hit.revision === 1 && Date.parse(hit.tsLast) >= start) latency.add(Date.now() - Date.parse(hit.tsLast))
    },
  })
  const count = Math.round(rate * seconds)
  const publishes = new PublishWindow()
  const publish = (i: number, intended: number) => {
    const frame = feed.frames[i % feed.frames.length]!
    publishes.add(publishFrame(system.connection, frame, Math.round(intended), `paced-${start}-${i}`))
    if (i % 500 === 499) showProgress(`offered ${i + 1} of ${count} at ${Math.round(rate)}/s, ${latency.count} hits`)
  }
  const lateMs = await atPace(rate, count, publish, start)
  await publishes.drained()
  await untilStored(system.store, storedBefore + count)
  await sleep(1_000)
  hits.unsubscribe()
  return { latency, lateMs }
}

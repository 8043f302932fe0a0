import type { Figure } from '../report/result.js'
import { showProgress } from '../report/table.js'
import type { FeedFrames } from '../system/feed_frames.js'
import { framesStored, untilStored } from '../system/ledger.js'
import { publishFrame } from '../system/publish_frame.js'
import { PublishWindow } from '../system/publish_window.js'
import type { BenchSystem } from '../system/system.js'
import { cpuFigures } from '../system/usage.js'
import type { EngineMemory } from './engine_memory.js'

export interface FlatOut {
  framesPerSecond: number
  /** Frames stored per second, by interval of at least a second. */
  rates: number[]
  cpu: Figure[]
}

/** Publishes as fast as the stream acknowledges, with a window in flight, and waits until every frame is stored. */
export async function publishFlatOut(
  system: BenchSystem,
  feed: FeedFrames,
  count: number,
  memory: EngineMemory,
): Promise<FlatOut> {
  const start = Date.now()
  const before = system.usage()
  const points: [at: number, frames: number][] = [[start, 0]]
  const eventStart = start - Math.ceil(count / feed.frames.length) * feed.durationMs
  const publishes = new PublishWindow()
  for (let i = 0; i < count; i++) {
    const frame = feed.frames[i % feed.frames.length]!
    const round = Math.floor(i / feed.frames.length)
    const capturedAt = eventStart + round * feed.durationMs + frame.offsetMs
    publishes.add(publishFrame(system.connection, frame, capturedAt, `flat-${start}-${i}`))
    const wait = publishes.room()
    if (wait) await wait
    if (i % 500 === 499) showProgress(`published ${i + 1} of ${count}, stored ${await framesStored(system.store)}`)
  }
  await publishes.drained()
  await untilStored(system.store, count, (stored) => {
    if (Date.now() - points.at(-1)![0] >= 1_000) points.push([Date.now(), stored])
    showProgress(`published ${count}, stored ${stored}, engine ${Math.round(memory.lastBytes() / 1e6)} MB`)
  })
  const seconds = (Date.now() - start) / 1_000
  const rates = points
    .slice(1)
    .map(([at, frames], i) => ((frames - points[i]![1]) * 1_000) / (at - points[i]![0]))
    .filter((rate) => rate > 0)
  return { framesPerSecond: count / seconds, rates, cpu: cpuFigures(before, system.usage(), count, 'ms', 'frame') }
}

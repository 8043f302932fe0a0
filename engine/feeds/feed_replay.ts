import type { NatsConnection } from 'nats'
import { AlprError } from '../errors.js'
import { CameraRegistry } from '../cameras/camera_registry.js'
import { HEADER } from '../nats/topology.js'
import type { FeedInfo, NumberedFrame } from './feed_format.js'
import { Pace } from './replay_pace.js'
import { FramePublisher, type PublisherCounts } from './frame_publisher.js'
import { inspectFeed, readFrames, type FeedLog } from './feed_reader.js'

export interface ReplayOptions {
  files: readonly string[]
  /** 1: as it was recorded; 10: ten times as fast; Infinity: as fast as the stream takes it. */
  speed: number
  /** Frames a second over all cameras instead of the recorded times. */
  rate?: number
  /** How often the feed is played. @default 1 */
  loops?: number
  /**
   * `keep` leaves `Captured-At` as it was recorded. `now` moves all times by one amount, so that the feed happens now:
   * at the original speed or slower its first frame is of now; faster, its last one is of the moment in which it is
   * published (the engine refuses times in the future).
   */
  shiftTime: 'keep' | 'now'
  /** Adds the cameras of the feed that the registry does not have. */
  register?: boolean
  signal?: AbortSignal
  log?: FeedLog
  onProgress?: (progress: ReplayProgress) => void
  onWaiting?: (reason: string | undefined) => void
}

export interface ReplayProgress extends PublisherCounts {
  /** Frames given to the publisher, of `total` over all loops. */
  sent: number
  total: number
  /** How late the last frame was, ms. */
  lateMs: number
}

export interface ReplaySummary extends PublisherCounts {
  frames: number
  loops: number
  cameras: number
  registered: number
  /** Wall time, ms. */
  ms: number
  /** Worst delay behind the due time, ms. */
  worstLateMs: number
  /** By how much `Captured-At` was moved in the first loop, ms. */
  shiftMs: number
  interrupted: boolean
}

/**
 * Publishes recorded feeds as if their cameras sent them now. Several files are played together, by their times. Each
 * loop follows the one before in event time, so that time moves on.
 * @throws ALPR_ERR_FEED_INVALID when a file is not a feed, or the feed has no frames
 */
export async function replay(connection: NatsConnection, options: ReplayOptions): Promise<ReplaySummary> {
  const { files, speed, rate, loops = 1, signal } = options
  const feeds = await Promise.all(files.map((file) => inspectFeed(file, options.log)))
  const whole = together(feeds)
  if (whole.total === 0)
    throw new AlprError('ALPR_ERR_FEED_INVALID', { file: files.join(', '), reason: 'there are no frames in it' })
  const registered = options.register ? await register(connection, feeds) : 0
  const publisher = new FramePublisher(connection.jetstream(), { signal, onWaiting: options.onWaiting })
  const pace = new Pace({ speed, rate })
  const shift = options.shiftTime === 'now' ? shiftToNow(whole, { speed, rate, loops }) : 0
  const startedAt = performance.now()
  let sent = 0
  let worst = 0

  for (let loop = 0; loop < loops && !signal?.aborted; loop++) {
    const moved = shift + loop * whole.period
    for await (const { frame, feed } of merged(feeds, options.log)) {
      const late = await pace.wait(frame.capturedAt + loop * whole.period, signal)
      if (signal?.aborted) break
      worst = Math.max(worst, late)
      await publisher.publish({
        camera: frame.camera,
        jpeg: frame.jpeg,
        headers: wireHeaders(frame, moved),
        // The shift is part of it: the same feed played again at another time is other frames.
        msgId: `${feed.id}-${frame.index}-${moved}`,
      })
      sent++
      options.onProgress?.({ ...publisher.counts, sent, total: whole.total * loops, lateMs: late })
    }
  }
  await publisher.flush()
  return {
    ...publisher.counts,
    frames: sent,
    loops,
    cameras: whole.cameras,
    registered,
    ms: Math.round(performance.now() - startedAt),
    worstLateMs: Math.round(worst),
    shiftMs: shift,
    interrupted: signal?.aborted ?? false,
  }
}

interface Whole {
  total: number
  cameras: number
  start: number
  /** From the first frame of one loop to the first of the next: the duration and one usual interval, ms. */
  period: number
}

function together(feeds: readonly FeedInfo[]): Whole {
  const filled = feeds.filter((feed) => feed.total > 0)
  const start = Math.min(...filled.map((feed) => feed.start))
  const end = Math.max(...filled.map((feed) => feed.end))
  const perCamera = new Map<string, number>()
  for (const feed of filled)
    for (const [camera, count] of feed.frames) perCamera.set(camera, (perCamera.get(camera) ?? 0) + count)
  const busiest = Math.max(1, ...perCamera.values())
  const interval = busiest > 1 ? (end - start) / (busiest - 1) : 1_000
  return {
    total: filled.reduce((sum, feed) => sum + feed.total, 0),
    cameras: perCamera.size,
    start,
    period: Math.max(1, Math.round(end - start + interval)),
  }
}

/** Whole milliseconds, so that a shifted time is as exact as the recorded one. */
export function shiftToNow(
  whole: Pick<Whole, 'start' | 'period' | 'total'>,
  { speed, rate, loops }: { speed: number; rate?: number; loops: number },
  now = Date.now(),
): number {
  const eventMs = whole.period * loops
  const wallMs = rate === undefined ? eventMs / speed : (whole.total * loops * 1_000) / rate
  const end = wallMs >= eventMs ? now + eventMs : now + wallMs
  return Math.round(end - eventMs - whole.start)
}

/** The frames of several feeds by their times; each feed keeps its own order. */
async function* merged(
  feeds: readonly FeedInfo[],
  log?: FeedLog,
): AsyncGenerator<{ frame: NumberedFrame; feed: FeedInfo }, void, void> {
  const heads = await Promise.all(
    feeds.map(async (feed) => {
      const frames = readFrames(feed.file, log)
      return { feed, frames, next: await frames.next() }
    }),
  )
  try {
    for (;;) {
      let first: (typeof heads)[number] | undefined
      for (const head of heads) {
        if (!head.next.done && (!first || head.next.value.capturedAt < (first.next.value as NumberedFrame).capturedAt))
          first = head
      }
      if (!first) return
      yield { frame: first.next.value as NumberedFrame, feed: first.feed }
      first.next = await first.frames.next()
    }
  } finally {
    for (const { frames } of heads) await frames.return()
  }
}

/** The headers as the camera sent them, with the time moved. What was not a time stays what it was. */
function wireHeaders(frame: NumberedFrame, moved: number): Record<string, string> {
  const recorded = frame.headers[HEADER.capturedAt]
  if (recorded === undefined)
    return { ...frame.headers, [HEADER.capturedAt]: new Date(frame.capturedAt + moved).toISOString() }
  const { [HEADER.capturedAt]: _, ...others } = frame.headers
  return recorded === '' ? others : frame.headers
}

async function register(connection: NatsConnection, feeds: readonly FeedInfo[]): Promise<number> {
  const registry = await CameraRegistry.open(connection)
  let added = 0
  for (const feed of feeds) for (const camera of feed.cameras) if (await registry.add(camera)) added++
  return added
}

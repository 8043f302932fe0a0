import type { NatsConnection } from 'nats'
import { AlprError } from '../errors.js'
import { CameraRegistry } from '../cameras/camera_registry.js'
import { HEADER } from '../nats/topology.js'
import type { FeedInfo, FeedLog, NumberedFrame } from './feed_format.js'
import { ReplayPace } from './replay_pace.js'
import { FramePublisher, type PublisherCounts } from './frame_publisher.js'
import { inspectFeed } from './feed_index.js'
import { readFrames } from './feed_reader.js'

export interface ReplayOptions {
  files: readonly string[]
  /** 1: as recorded; 10: ten times as fast; Infinity: as fast as the stream accepts frames. */
  speed: number
  /** Frames a second over all cameras instead of the recorded times. */
  rate?: number
  /** How many times the feed is played. @default 1 */
  loops?: number
  /**
   * `keep` leaves `Captured-At` as recorded. `now` shifts all times by one amount, so that the feed happens now: at the
   * original speed or slower, the first frame gets the current time; above it, the last frame gets the time at which it
   * is published (the engine refuses times in the future).
   */
  shiftTime: 'keep' | 'now'
  /** Adds the cameras of the feed that are missing in the registry. */
  register?: boolean
  signal?: AbortSignal
  log?: FeedLog
  onProgress?: (progress: ReplayProgress) => void
  onWaiting?: (reason: string | undefined) => void
}

export interface ReplayProgress extends PublisherCounts {
  /** Frames passed to the publisher so far. */
  sent: number
  /** Frames of all loops. */
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
  /** Longest delay behind the due time, ms. */
  worstLateMs: number
  /** Shift of `Captured-At` in the first loop, ms. */
  shiftMs: number
  interrupted: boolean
}

/**
 * Publishes recorded feeds as if their cameras sent them now. Several files are played together, ordered by time. Each
 * loop follows the previous one in event time, so that time never goes back.
 * @throws ALPR_ERR_FEED_INVALID when a file is not a feed, or the feed has no frames
 */
export async function replay(connection: NatsConnection, options: ReplayOptions): Promise<ReplaySummary> {
  const { files, speed, rate, loops = 1, signal } = options
  const feeds = await Promise.all(files.map((file) => inspectFeed(file, options.log)))
  const whole = summarise(feeds)
  if (whole.total === 0)
    throw new AlprError('ALPR_ERR_FEED_INVALID', { file: files.join(', '), reason: 'it has no frames' })
  const registered = options.register ? await register(connection, feeds) : 0
  const publisher = new FramePublisher(connection.jetstream(), { signal, onWaiting: options.onWaiting })
  const pace = new ReplayPace({ speed, rate })
  const shift = options.shiftTime === 'now' ? shiftToNow(whole, { speed, rate, loops }) : 0
  const startedAt = performance.now()
  let sent = 0
  let worstLateMs = 0

  for (let loop = 0; loop < loops && !signal?.aborted; loop++) {
    const shiftMs = shift + loop * whole.period
    for await (const { frame, feed } of mergeFrames(feeds, options.log)) {
      const lateMs = await pace.wait(frame.capturedAt + loop * whole.period, signal)
      if (signal?.aborted) break
      worstLateMs = Math.max(worstLateMs, lateMs)
      await publisher.publish({
        camera: frame.camera,
        jpeg: frame.jpeg,
        headers: wireHeaders(frame, shiftMs),
        // The shift is part of the id: the same feed played at another time consists of other frames.
        msgId: `${feed.id}-${frame.index}-${shiftMs}`,
      })
      sent++
      options.onProgress?.({ ...publisher.counts, sent, total: whole.total * loops, lateMs })
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
    worstLateMs: Math.round(worstLateMs),
    shiftMs: shift,
    interrupted: signal?.aborted ?? false,
  }
}

/** All feeds of a replay as one. */
interface WholeFeed {
  total: number
  cameras: number
  start: number
  /** From the first frame of one loop to that of the next, ms: the duration plus one usual interval. */
  period: number
}

function summarise(feeds: readonly FeedInfo[]): WholeFeed {
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

/**
 * The shift that makes a feed happen now, ms; see `ReplayOptions.shiftTime`. A whole number, so that a shifted time is
 * as exact as the recorded one.
 */
export function shiftToNow(
  whole: Pick<WholeFeed, 'start' | 'period' | 'total'>,
  { speed, rate, loops }: { speed: number; rate?: number; loops: number },
  now = Date.now(),
): number {
  const eventMs = whole.period * loops
  const wallMs = rate === undefined ? eventMs / speed : (whole.total * loops * 1_000) / rate
  const end = wallMs >= eventMs ? now + eventMs : now + wallMs
  return Math.round(end - eventMs - whole.start)
}

/** The frames of several feeds, merged by time; each feed keeps its own order. */
async function* mergeFrames(
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

/** The headers as the camera sent them, with the time shifted. A `Captured-At` that is not a time stays unchanged. */
function wireHeaders(frame: NumberedFrame, shiftMs: number): Record<string, string> {
  const recorded = frame.headers[HEADER.capturedAt]
  if (recorded === undefined)
    return { ...frame.headers, [HEADER.capturedAt]: new Date(frame.capturedAt + shiftMs).toISOString() }
  const { [HEADER.capturedAt]: _, ...others } = frame.headers
  return recorded === '' ? others : frame.headers
}

/** Resolves to the number of cameras that were added. */
async function register(connection: NatsConnection, feeds: readonly FeedInfo[]): Promise<number> {
  const registry = await CameraRegistry.open(connection)
  let added = 0
  for (const feed of feeds) for (const camera of feed.cameras) if (await registry.add(camera)) added++
  return added
}

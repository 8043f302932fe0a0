import { CAMERA_ID, type Camera } from '../model/camera.js'

/**
 * A recorded feed is an MCAP file (https://mcap.dev) of this layout (docs/feeds.md describes it for users):
 *
 *     header      profile "platestream"
 *     metadata    "camera"   { record: JSON of the camera }, one for each camera, so that a replay can register them
 *     channel     frames.<camera>    encoding "jpeg"   a message is the payload as it was on the wire
 *     channel     headers.<camera>   encoding "json"   headers of the next frame, if it has any besides its time
 *     attachment  any file kept with the feed, e.g. "truth.jsonl"
 *
 *     log time      capture time (`Captured-At`); for a frame without a valid one: when it was recorded
 *     publish time  when it was recorded
 *     sequence      index of the frame in the file, from 0; a headers message precedes its frame and has its sequence
 *
 * Frames are in order of arrival, so a vehicle that was offline and sent old frames late does the same in a replay.
 */
export const FEED_PROFILE = 'platestream'
export const CAMERA_METADATA = 'camera'

export interface FeedFrame {
  camera: string
  /** Event time, ms since 1970 UTC. */
  capturedAt: number
  /** When it was recorded, ms since 1970 UTC; the same as `capturedAt` when unknown. */
  recordedAt?: number
  /**
   * Headers other than `Captured-At` and `Nats-Msg-Id`. A `Captured-At` in here was not a valid time and is kept word
   * for word; an empty one was missing.
   */
  headers: Record<string, string>
  jpeg: Uint8Array
}

/** A frame with its index in the feed. */
export interface NumberedFrame extends FeedFrame {
  /** 0, 1, 2 ... in file order. */
  index: number
}

export interface FeedInfo {
  file: string
  bytes: number
  /** 16 hex digits that identify the content: copies of a file have the same id. */
  id: string
  cameras: Camera[]
  /** Number of frames by camera; cameras without frames are missing. */
  frames: Map<string, number>
  total: number
  /** Capture times of the earliest and the latest frame, ms since 1970 UTC; both 0 in an empty feed. */
  start: number
  end: number
  /** The file has no index: it was cut off, or it is still being written. */
  cutOff: boolean
}

/** Logs what a reader had to skip. */
export interface FeedLog {
  warn(fields: object, message: string): void
}

export const framesTopic = (camera: string) => `frames.${camera}`
export const headersTopic = (camera: string) => `headers.${camera}`

/** The camera of a channel, and what the channel carries; undefined for a channel of another program. */
export function parseTopic(topic: string): { kind: 'frames' | 'headers'; camera: string } | undefined {
  const dot = topic.indexOf('.')
  const kind = topic.slice(0, dot)
  const camera = topic.slice(dot + 1)
  return (kind === 'frames' || kind === 'headers') && CAMERA_ID.test(camera) ? { kind, camera } : undefined
}

/** MCAP counts nanoseconds. */
export const toNanos = (ms: number): bigint => BigInt(Math.round(ms)) * 1_000_000n
export const toMillis = (nanos: bigint): number => Number(nanos / 1_000_000n)

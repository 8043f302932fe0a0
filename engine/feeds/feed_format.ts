import { CAMERA_ID, type Camera } from '../model/camera.js'

/**
 * A recorded feed is an MCAP file (https://mcap.dev), laid out like this (docs/feeds.md is the same for readers):
 *
 *     header      profile "platestream"
 *     metadata    "camera"   { record: JSON of the camera }, one for each camera, so that a replay can register them
 *     channel     frames.<camera>    encoding "jpeg"   a message is the payload as it was on the wire
 *     channel     headers.<camera>   encoding "json"   the headers of the frame that follows, if it has other headers than its time
 *     attachment  any file kept beside, e.g. "truth.jsonl"
 *
 *     log time      capture time (`Captured-At`); of a frame without a usable one: when it was recorded
 *     publish time  when it was recorded
 *     sequence      number of the frame in the file, from 0; a headers message has that of its frame and stands before it
 *
 * Frames stand in the order of their arrival, so a vehicle that was offline and sent old frames late does the same in a
 * replay.
 */
export const FEED_PROFILE = 'platestream'
export const CAMERA_METADATA = 'camera'

export interface FeedFrame {
  camera: string
  /** Event time, ms since 1970 UTC. */
  capturedAt: number
  /** When it was recorded, ms since 1970 UTC; the same as `capturedAt` when nobody knows. */
  recordedAt?: number
  /**
   * Headers other than `Captured-At` and `Nats-Msg-Id`. A `Captured-At` in here is one that is no time, kept word for
   * word; an empty one was missing.
   */
  headers: Record<string, string>
  jpeg: Uint8Array
}

/** A frame with its place in the feed. */
export interface NumberedFrame extends FeedFrame {
  /** 0, 1, 2 ... in the order of the file. */
  index: number
}

export interface FeedInfo {
  file: string
  bytes: number
  /** 16 hex digits that name the content: the same file has the same, wherever it lies. */
  id: string
  cameras: Camera[]
  /** Names of the cameras that have frames, with the number of their frames. */
  frames: Map<string, number>
  total: number
  /** Capture times of the earliest and the latest frame, ms since 1970 UTC; both 0 in an empty feed. */
  start: number
  end: number
  /** The file has no summary: it was cut off, or is still being written. */
  cutOff: boolean
}

export const framesTopic = (camera: string) => `frames.${camera}`
export const headersTopic = (camera: string) => `headers.${camera}`

/** Which camera a channel belongs to, and what it carries; undefined for channels of others. */
export function parseTopic(topic: string): { kind: 'frames' | 'headers'; camera: string } | undefined {
  const dot = topic.indexOf('.')
  const kind = topic.slice(0, dot)
  const camera = topic.slice(dot + 1)
  return (kind === 'frames' || kind === 'headers') && CAMERA_ID.test(camera) ? { kind, camera } : undefined
}

/** MCAP counts nanoseconds. */
export const toNanos = (ms: number): bigint => BigInt(Math.round(ms)) * 1_000_000n
export const toMillis = (nanos: bigint): number => Number(nanos / 1_000_000n)

import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { inspectFeed, readFrames } from '../../engine/feeds/mod.js'
import type { Camera } from '../../engine/mod.js'

const FEED = 'bench/feeds/sample.mcap'
const TRUTH = 'bench/feeds/sample.truth.json'

/** A frame to publish. Its name is the same in every run; camera and time come from the recording. */
export interface FeedFrame {
  name: string
  camera: string
  capturedAt: number
  jpeg: Uint8Array
}

/**
 * The frames of each fault: the first seconds of the sample feed and, an hour later, one empty frame per camera, which
 * closes every pass and opens none.
 */
export interface FaultFeed {
  cameras: Camera[]
  frames: FeedFrame[]
  /** Every plate in the ground truth of the recording, so that every good read becomes a hit. */
  plates: string[]
}

export async function loadFeed(seconds: number): Promise<FaultFeed> {
  const { start, cameras } = await inspectFeed(FEED)
  const frames: FeedFrame[] = []
  for await (const { camera, capturedAt, jpeg, index } of readFrames(FEED)) {
    if (capturedAt >= start + seconds * 1_000) continue
    frames.push({ name: `frame-${index}`, camera, capturedAt, jpeg: new Uint8Array(jpeg) })
  }
  const empty = await sharp({ create: { width: 640, height: 360, channels: 3, background: '#787878' } })
    .jpeg()
    .toBuffer()
  for (const { id } of cameras)
    frames.push({ name: `close-${id}`, camera: id, capturedAt: start + 3_600_000, jpeg: empty })
  const { passes } = JSON.parse(await readFile(TRUTH, 'utf8')) as { passes: { plate: string | null }[] }
  return { cameras, frames, plates: [...new Set(passes.map(({ plate }) => plate).filter((plate) => plate !== null))] }
}

/**
 * Inserts a comment segment that only `preload.ts` recognises. A decoder sees the same picture.
 */
export function poisoned(jpeg: Uint8Array, mark: 'POISON_THREAD' | 'POISON_PROCESS'): Uint8Array {
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, mark.length + 2]), Buffer.from(mark)])
  return Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2)])
}

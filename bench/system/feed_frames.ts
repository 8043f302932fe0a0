import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { inspectFeed, readFrames } from '../../engine/feeds/mod.js'
import type { Camera } from '../../engine/mod.js'

export interface BenchFrame {
  camera: string
  /** Event time from the start of the feed, milliseconds. */
  offsetMs: number
  jpeg: Uint8Array
}

/** A feed in memory. */
export interface FeedFrames {
  frames: BenchFrame[]
  cameras: Camera[]
  /** Event time of one round, ms: long enough that passes close before the next round starts. */
  durationMs: number
  hotLists: { id: string; file: string }[]
}

/** Reads a small feed into memory, so that reading it is not part of what is measured. */
export async function framesOfFeed(file: string): Promise<FeedFrames> {
  const info = await inspectFeed(file)
  const frames: BenchFrame[] = []
  for await (const frame of readFrames(file))
    frames.push({ camera: frame.camera, offsetMs: frame.capturedAt - info.start, jpeg: frame.jpeg })
  frames.sort((a, b) => a.offsetMs - b.offsetMs)
  return { frames, cameras: info.cameras, durationMs: info.end - info.start + 10_000, hotLists: hotListsBeside(file) }
}

/** `hotlists/<id>.csv` beside the feed: lists that contain some of its plates. */
function hotListsBeside(file: string): { id: string; file: string }[] {
  const folder = join(dirname(file), 'hotlists')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.csv'))
    .map((name) => ({ id: name.slice(0, -4), file: join(folder, name) }))
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FeedFrame } from '../../../engine/feeds/feed_format.js'
import { FeedWriter } from '../../../engine/feeds/feed_writer.js'

/** Capture time of frame 0. */
export const START = Date.UTC(2026, 4, 1, 8, 30)

/** Frame `i` of two cameras that take turns, one frame every 50 ms; its first byte is `i`. */
export const frame = (i: number, bytes = 2_000): FeedFrame => ({
  camera: `cam-${i % 2}`,
  capturedAt: START + i * 50,
  headers: i % 2 ? { Position: '1,2' } : {},
  jpeg: Buffer.alloc(bytes, i % 256),
})

/** Writes a feed into a folder that the test removes at its end; it has the record of `cam-0` only. */
export async function makeFeed(
  t: { teardown(end: () => unknown): unknown },
  name: string,
  frames: readonly FeedFrame[],
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-feed-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, name)
  const writer = await FeedWriter.create(file)
  await writer.addCamera({ id: 'cam-0', name: 'Zero', kind: 'fixed', lat: 1, lon: 2, agency: '' })
  for (const one of frames) await writer.addFrame(one)
  await writer.close()
  return file
}

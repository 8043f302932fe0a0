import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FeedWriter, importVideo, readFrames } from '../../engine/feeds/mod.js'
import { type Camera, CameraPasses, decodeJpeg, type OpenPass, wholePlates } from '../../engine/mod.js'
import type { Recognizer } from '../../wasm/mod.js'

const CAMERA: Camera = { id: 'clip', name: 'Clip', kind: 'fixed', agency: '', lat: 0, lon: 0 }
const IDS = { module: '', model: '', lists: '' }

/**
 * The reads that a clip gives: its frames through the recognizer and the passes of the product. `gapMs`: setting
 * passGapMs.
 */
export async function readClip(
  recognizer: Recognizer,
  file: string,
  gapMs = 3_000,
): Promise<{ plate: string; frames: number; confidence: number }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'platestream-clip-'))
  try {
    const feed = join(folder, 'clip.mcap')
    const writer = await FeedWriter.create(feed)
    await writer.addCamera(CAMERA)
    await importVideo(writer, { input: file, camera: CAMERA.id, start: Date.UTC(2026, 0, 1), quality: 95 })
    await writer.close()
    const camera = CameraPasses.empty(CAMERA.id, { gapMs })
    const closed: OpenPass[] = []
    let seq = 0
    for await (const { jpeg, capturedAt } of readFrames(feed)) {
      const { width, height } = decodeJpeg(jpeg, recognizer)
      const frame = { seq: ++seq, camera: CAMERA, capturedAt, lat: 0, lon: 0, feed: '', jpeg }
      closed.push(
        ...camera.advance(
          frame,
          wholePlates(recognizer.recognize(width, height), recognizer),
          (index) => `${seq}-${index}`,
        ).closed,
      )
    }
    return [...closed, ...camera.open()]
      .map((pass) => pass.toRead(CAMERA, IDS))
      .filter((read) => read.plate !== '')
      .map(({ plate, frames, confidence }) => ({ plate, frames, confidence }))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

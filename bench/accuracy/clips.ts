import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FeedWriter, importVideo, readFrames } from '../../engine/feeds/mod.js'
import { CameraPasses, type OpenPass, wholePlates } from '../../engine/internal_mod.js'
import { type Camera, decodeJpeg } from '../../engine/mod.js'
import type { Recognizer } from '../../wasm/mod.js'
import { allPhotos } from '../photos.js'

const CAMERA: Camera = { id: 'clip', name: 'Clip', kind: 'fixed', agency: '', lat: 0, lon: 0 }
const IDS = { module: '', model: '', lists: '' }

/** The set of clips. */
export const CLIPS = 'dutch-video'

export interface ClipCounts {
  clips: number
  /** With exactly one read, which is right. */
  right: number
}

/** Measures all clips of one vehicle. */
export async function measureClips(recognizer: Recognizer, folder: string, printErrors: boolean): Promise<ClipCounts> {
  const clips = allPhotos(folder).filter(({ set, plates }) => set === CLIPS && plates.length === 1 && plates[0]!.text)
  let right = 0
  for (const { file, plates } of clips) {
    const truth = plates[0]!.text
    const reads = await readClip(recognizer, join(folder, file))
    if (reads.length === 1 && reads[0]!.plate === truth) right += 1
    else if (printErrors) {
      const texts = reads.map((read) => `${read.plate} (${read.frames} frames, ${read.confidence.toFixed(2)})`)
      console.log(`  ${file} ${truth}: ${texts.join(', ') || 'nothing'}`)
    }
  }
  console.log(`clips of one vehicle: ${right} of ${clips.length} yield exactly one read, which is right`)
  return { clips: clips.length, right }
}

/**
 * The reads of a clip: its frames go through the recognizer and the passes of the product.
 * @param gapMs setting passGapMs
 */
async function readClip(
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
      const frame = { seq: ++seq, camera: CAMERA, capturedAt, arrivedAt: capturedAt, lat: 0, lon: 0, feed: '', jpeg }
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

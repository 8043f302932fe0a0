import turbo from '@julusian/jpeg-turbo'
import { FeedWriter } from '../feed_writer.js'
import type { RenderPlan } from './plan.js'
import { Studio, type Shot } from './shot.js'
import { TruthWriter } from './truth.js'

export interface RenderOptions {
  /** File of the feed and of its ground truth; both are written over. */
  out: string
  truth: string
  /** The YAML as it was given: kept with the feed, so that it tells how it was made. */
  recipe: { name: string; text: string }
  signal?: AbortSignal
  onProgress?: (frames: number, bytes: number) => void
}

export interface RenderSummary {
  frames: number
  cameras: number
  bytes: number
  /** Vehicles in the truth, and those of them with a plate. */
  passes: number
  withPlate: number
}

export const framesOf = (plan: RenderPlan): number =>
  plan.cameras.reduce((sum, camera) => sum + framesOfCamera(camera.fps, plan.durationMs), 0)
const framesOfCamera = (fps: number, durationMs: number): number =>
  Math.max(1, Math.floor((durationMs * fps) / 1_000 + 1e-9))

/**
 * Renders traffic into a feed, frame by frame in the order of their times, and the truth about it beside. Memory holds
 * an empty road for each camera and what is on it, whatever the length. The same plan gives the same bytes.
 */
export async function renderFeed(plan: RenderPlan, options: RenderOptions): Promise<RenderSummary> {
  const writer = await FeedWriter.create(options.out, { replace: true })
  const truth = new TruthWriter(options.truth, { seed: plan.seed, start: plan.start, seconds: plan.durationMs / 1_000 })
  try {
    for (const { record } of plan.cameras) await writer.addCamera(record)
    for (const { studio, frame, at } of frames(plan)) {
      if (options.signal?.aborted) break
      const shot = studio.shoot(at / 1_000, frame)
      const capturedAt = plan.start + Math.round(at)
      await writer.addFrame({ camera: studio.camera.record.id, capturedAt, headers: {}, jpeg: encode(shot, studio) })
      await truth.add(studio.camera.record.id, new Date(capturedAt).toISOString(), shot)
      options.onProgress?.(writer.frames, writer.bytes)
    }
    await truth.close()
    await writer.addAttachment(options.recipe.name, 'application/yaml', Buffer.from(options.recipe.text), plan.start)
  } catch (error) {
    truth.abandon()
    throw error
  } finally {
    await writer.close()
  }
  return { frames: writer.frames, cameras: plan.cameras.length, bytes: writer.bytes, ...truth.counts }
}

/**
 * All frames in the order of their times. Cameras begin one after the other within the first interval, as those of a
 * city do.
 */
function* frames(plan: RenderPlan): Generator<{ studio: Studio; frame: number; at: number }> {
  const cameras = plan.cameras.map((camera, i) => ({
    studio: new Studio(camera, plan.seed),
    count: framesOfCamera(camera.fps, plan.durationMs),
    step: 1_000 / camera.fps,
    phase: (1_000 / camera.fps) * (i / plan.cameras.length),
    next: 0,
  }))
  for (;;) {
    let first: (typeof cameras)[number] | undefined
    let at = Infinity
    for (const camera of cameras) {
      const time = camera.phase + camera.next * camera.step
      if (camera.next < camera.count && time < at) {
        first = camera
        at = time
      }
    }
    if (!first) return
    yield { studio: first.studio, frame: first.next++, at }
  }
}

function encode({ pixels, grey }: Shot, { camera: { width, height, quality } }: Studio): Uint8Array {
  const raw = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength)
  return turbo.compressSync(raw, {
    width,
    height,
    quality,
    format: grey ? turbo.FORMAT_GRAY : turbo.FORMAT_RGB,
    subsampling: grey ? turbo.SAMP_GRAY : turbo.SAMP_420,
  })
}

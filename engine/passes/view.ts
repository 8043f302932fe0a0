import type { Capture } from '../model/capture.js'
import type { Observation } from '../model/observation.js'
import type { Quad } from '../../wasm/mod.js'
import { hundredths } from './geometry.js'
import type { BestView } from './pass_state.js'

/** How well a detection shows its plate. */
export function viewOf(capture: Capture, detection: Observation): BestView {
  const { heightPx, sharpness, contrast, glare } = detection.quality
  const pictures = capture.pictured && detection.pictures
  if (pictures)
    return {
      seq: capture.seq,
      ts: capture.capturedAt,
      pictures,
      // Any of them is better than a detection without one.
      merit: Math.fround(1 + detection.confidence),
      quality: { heightPx, sharpness, contrast, glare },
    }
  return {
    seq: capture.jpeg ? capture.seq : undefined,
    ts: capture.capturedAt,
    quad:
      capture.jpeg && (detection.quad?.map(([x, y]) => [hundredths(x), hundredths(y)] as const) as Quad | undefined),
    merit: Math.fround(
      heightPx * Math.max(sharpness, 1e-3) * Math.max(detection.confidence, 1e-3) * (1 - Math.min(glare, 0.9)),
    ),
    quality: { heightPx, sharpness, contrast, glare },
  }
}

/**
 * Plate height (pixels) and sharpness beyond which a detection's weight no longer grows; share of blown-out pixels that
 * halves it.
 */
const ENOUGH = { heightPx: 24, sharpness: 0.5, glare: 0.25 }

/** The weight of a detection in the vote, 0.05..1: more for a confident, large, sharp one without glare. */
export function weightOf({ confidence, quality }: Pick<Observation, 'confidence' | 'quality'>): number {
  // A camera that reads plates itself does not report the quality of its picture.
  if (quality.heightPx === 0) return Math.max(0.05, confidence)
  const size = Math.min(1, quality.heightPx / ENOUGH.heightPx)
  const sharpness = Math.min(1, quality.sharpness / ENOUGH.sharpness)
  return Math.max(0.05, (confidence * size * sharpness) / (1 + quality.glare / ENOUGH.glare))
}

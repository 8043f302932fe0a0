import type { Detection } from './detection.js'

/**
 * What a confidence is worth in a damaged picture: the share of right texts among those with full confidence, measured
 * on damaged frames (docs/recognizer.md).
 */
const TRUST = 0.9

/**
 * A detection in a picture that was read in part: each of its confidences is lower, and each position leaves as much
 * room to other characters, so that a vote weighs it less.
 */
export function inDamagedPicture(detection: Detection): Detection {
  const { confidence, positions, alternates, regionConfidence } = detection
  const kept = TRUST ** (1 / Math.max(1, positions.length))
  return {
    ...detection,
    confidence: confidence * TRUST,
    regionConfidence: regionConfidence * TRUST,
    alternates: alternates.map((one) => ({ ...one, confidence: one.confidence * TRUST })),
    positions: positions.map((classes) => classes.map((p) => p * kept + (1 - kept) / classes.length)),
  }
}

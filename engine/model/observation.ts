import type { Detection } from '../../wasm/mod.js'

/**
 * A detection as passes take it: our recognizer's, or one of a camera that reads plates itself. Such a camera may say
 * where in its picture the plate was (`quad`), or which of its vehicles it belongs to (`track`), or neither. A quality
 * of height 0 is not known.
 */
export type Observation = Pick<
  Detection,
  'plate' | 'confidence' | 'positions' | 'alternates' | 'region' | 'regionConfidence' | 'quality'
> &
  Partial<Pick<Detection, 'quad'>> & {
    track?: string
  }

/**
 * With neither place nor track there is no telling that two detections are one vehicle, text alone never does: each is
 * a pass.
 */
export const standsAlone = (detection: Observation): boolean =>
  detection.quad === undefined && detection.track === undefined

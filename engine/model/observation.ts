import type { Detection, Quad } from '../../wasm/mod.js'

/**
 * A detection that passes are made of: the recognizer's, or that of a camera that reads plates itself. Such a camera
 * may say where in its picture the plate was (`quad`), to which of its vehicles it belongs (`track`), or neither. A
 * quality with height 0 is unknown.
 */
export type Observation = Pick<
  Detection,
  'plate' | 'confidence' | 'positions' | 'alternates' | 'region' | 'regionConfidence' | 'quality'
> &
  Partial<Pick<Detection, 'quad'>> & {
    track?: string
    /** It is what the camera says of the vehicle, and replaces what it said before. Only with `track`. */
    report?: 'new' | 'update' | 'lost'
    pictures?: OwnPictures
  }

/** Which pictures of its message show the vehicle and its plate, by index; the corners of the plate in the scene. */
export interface OwnPictures {
  scene?: number
  plate?: number
  quad?: Quad
}

/**
 * Whether nothing but its text could tell that another detection is of the same vehicle. Text alone never merges two
 * detections, so such a detection is a whole pass.
 */
export const isUntrackable = (detection: Observation): boolean =>
  detection.quad === undefined && detection.track === undefined

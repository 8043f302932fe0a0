import type { Recognizer, Detection } from '../../wasm/mod.js'

/**
 * The detections that a vote may use. The recognizer also returns a plate that the frame's edge cuts, with a quarter of
 * its confidence (docs/model-format.md, rule 7) and so below the model's minimum for reads: its text may be incomplete,
 * and the next frames show the whole car.
 */
export function wholePlates(detections: readonly Detection[], { model }: Pick<Recognizer, 'model'>): Detection[] {
  return detections.filter(({ confidence }) => confidence >= model.cascade.readFloor)
}

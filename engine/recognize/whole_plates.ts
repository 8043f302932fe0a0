import type { Recognizer, Detection } from '../../wasm/mod.js'

/**
 * The detections that a vote may count on. A plate that the frame's edge cuts is returned too, with a quarter of its
 * confidence (docs/model-format.md, rule 7), so below the model's floor for reads; its text may be a part of the
 * plate's, and the next frames show the car whole.
 */
export function wholePlates(detections: readonly Detection[], { model }: Pick<Recognizer, 'model'>): Detection[] {
  return detections.filter(({ confidence }) => confidence >= model.cascade.readFloor)
}

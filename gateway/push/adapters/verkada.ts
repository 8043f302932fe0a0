import { at, Draft, parseJsonBody } from '../detection.js'
import type { Adapter } from '../request.js'

const KIND = 'verkada'

/** Verkada's webhook for plates. Its pictures stay behind an address that only the vendor's account may open. */
export const verkada: Adapter = {
  parse(request) {
    const message = parseJsonBody(KIND, request.body)
    const event = at(message, 'data') ?? message
    const draft = new Draft(KIND, request)
    if (at(event, 'image_url') !== undefined) draft.leftOut.push('image_url')
    const detection = draft.detection(at(event, 'license_plate_number'), {
      capturedAt: draft.time('detected', at(event, 'detected') ?? at(event, 'created')),
      confidence: draft.confidence(at(event, 'confidence'), 1),
      region: draft.region(at(event, 'license_plate_state')),
    })
    return { detections: detection ? [detection] : [], leftOut: draft.leftOut }
  },
}

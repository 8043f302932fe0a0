import { at, Draft, listOf, parseJsonBody } from '../detection.js'
import type { Adapter } from '../request.js'

const KIND = 'axis'
const REPORTS: Record<string, 'new' | 'update' | 'lost'> = { new: 'new', update: 'update', lost: 'lost' }

/**
 * Axis License Plate Verifier: JSON for each state of a vehicle (NEW, UPDATE, LOST) under its carID. The text may
 * change from one to the next.
 */
export const axis: Adapter = {
  parse(request) {
    const event = parseJsonBody(KIND, request.body)
    const draft = new Draft(KIND, request)
    const state = String(at(event, 'carState') ?? at(event, 'packetType') ?? 'update').toLowerCase()
    const id = draft.text(at(event, 'carID'))
    const pictures: { scene?: number; plate?: number } = {}
    for (const image of listOf(at(event, 'ImageArray')).slice(0, 4)) {
      const index = draft.picture64(at(image, 'BinaryImage'))
      if (/plate/i.test(String(at(image, 'ImageType')))) pictures.plate ??= index
      else pictures.scene ??= index
    }
    const country = String(at(event, 'plateCountry') ?? '').toUpperCase()
    const detection = draft.detection(at(event, 'plateUTF8') ?? at(event, 'plateText') ?? at(event, 'plateUnicode'), {
      capturedAt: draft.time('capture_ts', at(event, 'capture_ts') ?? at(event, 'datetime')),
      confidence: draft.confidence(at(event, 'plateConfidence'), 1),
      region: draft.region(at(event, 'plateRegionCode') ?? (country || undefined), country),
      ...(id && { track: `${draft.text(at(event, 'camera_info', 'SerialNumber')) ?? ''}/${id}`.slice(-64) }),
      ...(id && { report: REPORTS[state] ?? 'update' }),
      pictures,
    })
    return { detections: detection ? [detection] : [], pictures: draft.pictures, leftOut: draft.leftOut }
  },
}

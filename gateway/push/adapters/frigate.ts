import { at, Draft, parseJsonBody } from '../detection.js'
import type { Adapter } from '../request.js'

const KIND = 'frigate'

/**
 * Frigate's topic `frigate/events`, or `frigate/tracked_object_update` with type `lpr`: `after` of an event, or the
 * update itself. An event without a plate is taken and left.
 */
export const frigate: Adapter = {
  parse(request) {
    const message = parseJsonBody(KIND, request.body)
    const draft = new Draft(KIND, request)
    const event = at(message, 'after') ?? message
    const type = String(at(message, 'type') ?? 'update')
    const read = at(event, 'recognized_license_plate') ?? at(event, 'plate')
    const [text, score] = Array.isArray(read)
      ? (read as unknown[])
      : [read, at(event, 'recognized_license_plate_score') ?? at(event, 'score')]
    if (draft.text(text) === undefined) return { leftOut: [] }
    const id = draft.text(at(event, 'id'))
    const detection = draft.detection(text, {
      capturedAt: draft.time(
        'frame_time',
        at(event, 'frame_time') ?? at(event, 'timestamp') ?? at(event, 'start_time'),
      ),
      confidence: draft.confidence(score, 1),
      ...(id && { track: id.slice(0, 64), report: type === 'new' ? 'new' : type === 'end' ? 'lost' : 'update' }),
    })
    return { detections: detection ? [detection] : [], leftOut: draft.leftOut }
  },
}

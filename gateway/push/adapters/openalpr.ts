import { at, Draft, listOf, parseJsonBody } from '../detection.js'
import type { Adapter, PushedDetection } from '../request.js'
import { alternatesOf } from './plate_recognizer.js'

const KIND = 'openalpr'

/** OpenALPR and Rekor agents: `alpr_group` for each vehicle, or `alpr_results` for each frame; percent, epoch in ms. */
export const openalpr: Adapter = {
  parse(request) {
    const message = parseJsonBody(KIND, request.body)
    const type = String(at(message, 'data_type') ?? '')
    if (type === 'heartbeat') return { leftOut: [] }
    const draft = new Draft(KIND, request)
    const isGroup = type === 'alpr_group' || at(message, 'best_plate') !== undefined
    const results = isGroup ? [at(message, 'best_plate')] : listOf(at(message, 'results')).slice(0, 64)
    if (results.length === 0 && type !== 'alpr_results') throw draft.invalid('it has no best_plate and no results')
    const time = at(message, isGroup ? 'epoch_start' : 'epoch_time')
    const id = draft.text(at(message, isGroup ? 'best_uuid' : 'uuid'))
    const scene = isGroup ? draft.picture64(at(message, 'vehicle_crop_jpeg')) : undefined
    const detections: PushedDetection[] = []
    for (const result of results) {
      const plate = at(result, 'plate')
      const region = at(result, 'region') ?? at(message, 'best_region')
      const heading = draft.number('heading', at(message, 'travel_direction'), 0, 360)
      const detection = draft.detection(plate ?? (isGroup ? at(message, 'best_plate_number') : undefined), {
        capturedAt: draft.time(isGroup ? 'epoch_start' : 'epoch_time', time),
        confidence: draft.confidence(at(result, 'confidence') ?? at(message, 'best_confidence'), 100),
        alternates: alternatesOf(
          at(result, 'candidates') ?? at(message, 'candidates'),
          plate,
          'plate',
          'confidence',
          100,
        ),
        region: draft.region(region),
        heading,
        position: placeOf(draft, at(message, 'gps_latitude'), at(message, 'gps_longitude')),
        ...(isGroup && id && { track: id.slice(0, 64), report: 'update' as const }),
        pictures: { scene, plate: draft.picture64(at(result, 'plate_crop_jpeg')) },
      })
      if (detection) detections.push(detection)
    }
    return { detections, pictures: draft.pictures, leftOut: draft.leftOut }
  },
}

function placeOf(draft: Draft, latitude: unknown, longitude: unknown): { lat: number; lon: number } | undefined {
  // -1,-1 is what an agent without a receiver sends.
  if (latitude === undefined || (latitude === -1 && longitude === -1)) return undefined
  const lat = draft.number('position', latitude, -90, 90)
  const lon = draft.number('position', longitude, -180, 180)
  return lat === undefined || lon === undefined || (lat === 0 && lon === 0) ? undefined : { lat, lon }
}

import { at, Draft, parseJsonBody } from '../detection.js'
import type { Adapter } from '../request.js'

const KIND = 'dahua'

/**
 * Dahua ITSAPI: JSON to /NotificationInfo/TollgateInfo for each vehicle, and /NotificationInfo/KeepAlive in between.
 * Its times are local without a zone, its confidence goes up to 255.
 */
export const dahua: Adapter = {
  parse(request) {
    if (/keepalive|deviceinfo/i.test(request.path)) return { leftOut: [] }
    const event = parseJsonBody(KIND, request.body)
    const draft = new Draft(KIND, request)
    const picture = at(event, 'Picture') ?? event
    const of = (...names: string[]) => at(picture, ...names)
    const [left, top, right, bottom] = Array.isArray(of('Plate', 'BoundingBox'))
      ? (of('Plate', 'BoundingBox') as unknown[])
      : []
    const content = (name: string) => of(name, 'Content')
    const isThere = of('Plate', 'IsExist') !== false
    const detection = draft.detection(isThere ? of('Plate', 'PlateNumber') : undefined, {
      capturedAt: draft.time('AccurateTime', of('SnapInfo', 'AccurateTime') ?? of('SnapInfo', 'SnapTime')),
      confidence: draft.confidence(of('Plate', 'Confidence'), 255),
      region: draft.region(of('Plate', 'Country') ?? of('Plate', 'Region')),
      speed: kmh(draft.number('speed', of('Vehicle', 'Speed') ?? of('SnapInfo', 'Speed'), 0, 500)),
      pictures: {
        scene: draft.picture64(content('NormalPic') ?? content('VehiclePic')),
        plate: draft.picture64(content('CutoutPic')),
        quad: draft.box(left, top, Number(right) - Number(left), Number(bottom) - Number(top)),
      },
    })
    return { detections: detection ? [detection] : [], pictures: draft.pictures, leftOut: draft.leftOut }
  },
}

const kmh = (value: number | undefined): number | undefined =>
  value ? Math.round((value / 3.6) * 100) / 100 : undefined

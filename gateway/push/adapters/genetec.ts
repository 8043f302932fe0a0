import { Draft } from '../detection.js'
import type { Adapter } from '../request.js'
import { findAnywhere, parseXml, textOf, type Element } from '../xml.js'

const KIND = 'genetec'

/** Genetec SharpV and AutoVu, export to a third party: one XML document for each read or hit, by HTTP. */
export const genetec: Adapter = {
  parse(request) {
    const draft = new Draft(KIND, request)
    let root: Element
    try {
      root = parseXml(request.body)
    } catch (error) {
      throw draft.invalid((error as Error).message)
    }
    const of = (name: string) => textOf(findAnywhere(root, name)) ?? root.attributes[name]
    const date = of('UTCDate')
    const time = of('UTCTime')
    if (!date || !time) throw draft.invalid('it has no UTCDate and UTCTime: put both into the template of the camera')
    const [lat, lon] = [
      draft.number('position', of('LatitudeY'), -90, 90),
      draft.number('position', of('LongitudeX'), -180, 180),
    ]
    const id = of('Guid')
    const detection = draft.detection(of('Plate'), {
      capturedAt: draft.time('UTCDate and UTCTime', `${isoDate(date)} ${time.replace(/\s*(Z|UTC)$/i, '')}Z`),
      confidence: draft.confidence(of('ConfidenceScore'), 100),
      region: draft.region(of('State'), 'US'),
      ...(id && { track: id.slice(0, 64), report: 'update' as const }),
      position: lat && lon ? { lat, lon } : undefined,
      pictures: {
        scene: draft.picture64(of('ContextImage')),
        plate: draft.picture64(of('LprImage') ?? of('PlateImage')),
      },
    })
    return { detections: detection ? [detection] : [], pictures: draft.pictures, leftOut: draft.leftOut }
  },
}

/** The template writes days as 2026/05/01 or 20260501. A day with the month first has no one meaning. */
const isoDate = (text: string): string => text.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3')

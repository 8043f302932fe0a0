import { Draft } from '../detection.js'
import { parseMultipart, type Part } from '../multipart.js'
import type { Adapter } from '../request.js'
import { find, findAnywhere, parseXml, textOf, type Element } from '../xml.js'

const KIND = 'hikvision'

/**
 * Hikvision ISAPI, "HTTP listening": a multipart body with the XML of an event and its pictures, or the XML alone.
 * Events that are no plate (heart beats, motion) are taken and left.
 */
export const hikvision: Adapter = {
  parse(request) {
    const draft = new Draft(KIND, request)
    const type = request.headers['content-type'] ?? ''
    const parts = /^multipart\//i.test(type) ? partsOf(request.body, type, draft) : [alone(request.body)]
    const xml = parts.find(({ data }) => /^\s*(\uFEFF|ï»¿)?\s*</.test(data.toString('latin1', 0, 64)))
    if (!xml) throw draft.invalid('no part of it is XML')
    const event = read(xml.data, draft)
    const anpr = findAnywhere(event, 'ANPR')
    if (!anpr) return { leftOut: [`event_${(textOf(find(event, 'eventType')) ?? event.name).slice(0, 40)}`] }
    const of = (...names: string[]) => textOf(find(anpr, ...names))
    const picture = (name: RegExp) => parts.find((part) => part !== xml && name.test(part.filename || part.name))?.data
    const plate = of('licensePlate') ?? of('originalLicensePlate')
    const characters = (of('plateCharBelieve') ?? '').split(',').filter(Boolean).map(Number)
    const gps = find(event, 'DeviceGPSInfo')
    const id = textOf(find(event, 'UUID'))
    const detection = draft.detection(plate, {
      capturedAt: draft.time('dateTime', textOf(find(event, 'dateTime'))),
      confidence: draft.confidence(of('confidenceLevel'), 100),
      ...(characters.length > 0 &&
        characters.every((n) => n >= 0 && n <= 100) && {
          characters: characters.map((n) => n / 100),
        }),
      region: draft.region(of('region') ?? of('country')),
      ...(id && { track: id.slice(0, 64), report: 'update' as const }),
      position: gps && placeOf(gps, draft),
      speed: kmh(draft.number('speed', of('vehicleInfo', 'speed') ?? of('speed'), 0, 500)),
      pictures: {
        scene: draft.picture(picture(/detection|vehicle|background|scene/i)),
        plate: draft.picture(picture(/plate/i)),
      },
    })
    return { detections: detection ? [detection] : [], pictures: draft.pictures, leftOut: draft.leftOut }
  },
}

const kmh = (value: number | undefined): number | undefined =>
  value ? Math.round((value / 3.6) * 100) / 100 : undefined

/** Degrees, minutes and seconds with a letter for the half of the globe. */
function placeOf(gps: Element, draft: Draft): { lat: number; lon: number } | undefined {
  const degrees = (name: string, least: number) => {
    const side = find(gps, name)
    const [d, m, s] = ['degree', 'minute', 'sec'].map((part) => Number(textOf(find(side, part)) ?? 0))
    const letter = textOf(find(gps, `${name.toLowerCase()}Type`)) ?? ''
    return draft.number('position', (d! + m! / 60 + s! / 3_600) * (/^[SW]/i.test(letter) ? -1 : 1), -least, least)
  }
  const [lat, lon] = [degrees('Latitude', 90), degrees('Longitude', 180)]
  return lat && lon ? { lat, lon } : undefined
}

function partsOf(body: Buffer, type: string, draft: Draft): Part[] {
  try {
    return parseMultipart(body, type)
  } catch (error) {
    throw draft.invalid((error as Error).message)
  }
}

const alone = (data: Buffer): Part => ({ headers: {}, name: '', filename: '', type: '', data })

function read(data: Buffer, draft: Draft): Element {
  try {
    return parseXml(data)
  } catch (error) {
    throw draft.invalid((error as Error).message)
  }
}

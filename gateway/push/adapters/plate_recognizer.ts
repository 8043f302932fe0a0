import { at, Draft, listOf, parseJsonBody } from '../detection.js'
import { parseMultipart } from '../multipart.js'
import type { Adapter, PushedDetection } from '../request.js'

const KIND = 'plate-recognizer'

/** Plate Recognizer Stream: JSON, or a form whose field `json` has it and whose `upload` has the picture. */
export const plateRecognizer: Adapter = {
  parse(request) {
    const draft = new Draft(KIND, request)
    const type = request.headers['content-type'] ?? ''
    let body = request.body
    let scene: number | undefined
    if (/^multipart\//i.test(type)) {
      try {
        const parts = parseMultipart(request.body, type)
        body = parts.find(({ name }) => name === 'json')?.data ?? Buffer.from('')
        scene = draft.picture(parts.find(({ name, data }) => name !== 'json' && data[0] === 0xff)?.data)
      } catch (error) {
        throw draft.invalid((error as Error).message)
      }
    }
    const message = parseJsonBody(KIND, body)
    const data = at(message, 'data') ?? message
    const general = at(data, 'timestamp') ?? at(data, 'timestamp_local')
    const detections: PushedDetection[] = []
    for (const result of listOf(at(data, 'results')).slice(0, 64)) {
      const { xmin, ymin, xmax, ymax } = (at(result, 'box') ?? {}) as Record<string, number>
      const plate = at(result, 'plate')
      const isObject = plate !== null && typeof plate === 'object'
      const props = isObject ? at(plate, 'props', 'plate', 0) : undefined
      const detection = draft.detection(isObject ? at(props, 'value') : plate, {
        capturedAt: draft.time('timestamp', general),
        confidence: draft.confidence(isObject ? at(props, 'score') : at(result, 'score'), 1),
        alternates: alternatesOf(at(result, 'candidates'), plate, 'plate', 'score', 1),
        region: draft.region(at(result, 'region', 'code') ?? at(plate, 'props', 'region', 0, 'value')),
        pictures: { scene, quad: draft.box(xmin, ymin, xmax! - xmin!, ymax! - ymin!) },
      })
      if (detection) detections.push(detection)
    }
    return { detections, pictures: draft.pictures, leftOut: draft.leftOut }
  },
}

/** Up to 5 other texts, best first. @param scale 1 or 100 */
export function alternatesOf(candidates: unknown, best: unknown, name: string, score: string, scale: 1 | 100) {
  const others = listOf(candidates)
    .map((one) => ({ plate: at(one, name), confidence: Number(at(one, score)) / scale }))
    .filter(({ plate, confidence }) => typeof plate === 'string' && plate !== '' && confidence >= 0 && confidence <= 1)
    .filter(({ plate }) => String(plate).toUpperCase() !== String(best).toUpperCase())
    .slice(0, 5) as { plate: string; confidence: number }[]
  return others.length > 0 ? others : undefined
}

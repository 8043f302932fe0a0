import { AlprError } from '../../../engine/runtime/mod.js'
import { instantOf, instantOfEpoch } from '../local_time.js'
import { parseMultipart, type Part } from '../multipart.js'
import { pictureFault } from '../picture.js'
import type { Adapter, PushedFrame, PushRequest } from '../request.js'

/**
 * Pictures without any reading: one JPEG as the body, or JPEGs as parts of a multipart body. The time is in header
 * `Captured-At` of the request or of the part, in a part before the picture, or in the query (`capturedAt`); without
 * any, the time of arrival counts.
 */
export const frames: Adapter = {
  parse(request) {
    const { headers, body, query } = request
    const type = headers['content-type'] ?? ''
    const general = headers['captured-at']?.toString() ?? query.get('capturedAt') ?? undefined
    if (!/^multipart\//i.test(type)) return { frames: [frameOf(body, general, request)], leftOut: [] }
    return { ...fromParts(parts(body, type), general, request) }
  },
}

function fromParts(all: Part[], general: string | undefined, request: PushRequest) {
  const frames: PushedFrame[] = []
  const leftOut: string[] = []
  let time: string | undefined
  for (const part of all) {
    if (/^captured-?at$/i.test(part.name) && part.data.length <= 64) time = part.data.toString('latin1').trim()
    else if (part.type.startsWith('image/') || part.filename || pictureFault(part.data) === undefined) {
      frames.push(frameOf(part.data, part.headers['captured-at'] ?? time ?? general, request))
      time = undefined
    } else leftOut.push('part')
  }
  if (frames.length === 0) throw invalid('no part of it is a picture')
  return { frames, leftOut }
}

function frameOf(data: Buffer, time: string | undefined, { push }: PushRequest): PushedFrame {
  const fault = pictureFault(data)
  if (fault) throw invalid(fault)
  if (time === undefined || time === '') return { jpeg: data }
  const capturedAt = /^[\d.]+$/.test(time)
    ? instantOfEpoch(time, 'Captured-At')
    : instantOf(time, 'Captured-At', push.zone)
  return { jpeg: data, capturedAt }
}

function parts(body: Buffer, type: string): Part[] {
  try {
    return parseMultipart(body, type)
  } catch (error) {
    throw invalid((error as Error).message)
  }
}

const invalid = (reason: string): AlprError => new AlprError('ALPR_ERR_PUSH_INVALID', { kind: 'frames', reason })

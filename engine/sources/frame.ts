import { AlprError } from '../errors.js'
import { isWithoutFix, type Camera } from '../model/camera.js'
import { parseCapturedAt, positionOf, type CameraMessage, type Capture } from '../model/capture.js'

/** One encoded image from one camera at one instant. */
export interface Frame extends Capture {
  jpeg: Uint8Array
  /** Headers whose values are impossible, in lower case: as if the frame did not have them. */
  leftOut?: readonly string[]
}

/** 8 MiB: twenty times a usual 1080p photo. */
export const MAX_FRAME_BYTES = 8_388_608

/**
 * Validates everything that needs no decoding: payload size, time, position (CAN-3: no read without time and position).
 * @throws AlprError ALPR_ERR_FRAME_*: the reason with which the frame goes to DEAD
 */
export function parseFrame(message: CameraMessage, camera: Camera, futureToleranceMs: number, now = Date.now()): Frame {
  if (message.headerFault !== undefined)
    throw new AlprError('ALPR_ERR_FRAME_HEADER_INVALID', {
      header: 'fields',
      value: message.headerFault,
      expected: 'readable',
    })
  if (message.payload.length === 0) throw new AlprError('ALPR_ERR_FRAME_EMPTY')
  if (message.payload.length > MAX_FRAME_BYTES) {
    throw new AlprError('ALPR_ERR_FRAME_TOO_LARGE', {
      what: 'payload bytes',
      value: message.payload.length,
      limit: MAX_FRAME_BYTES,
    })
  }
  const capturedAt = parseCapturedAt(message.header('Captured-At'), message.arrivedAt, futureToleranceMs, now)
  const leftOut: string[] = []
  // A fixed camera is where the registry says.
  const sent = camera.kind === 'fixed' ? undefined : parsePosition(message.header('Position'))
  const position = sent && !isWithoutFix(sent) ? sent : undefined
  if (sent && !position) leftOut.push('position')
  const heading = parseNumber('Heading', message.header('Heading'), 360, leftOut)
  const speed = parseNumber('Speed', message.header('Speed'), 150, leftOut)
  return {
    leftOut,
    seq: message.seq,
    camera,
    capturedAt,
    arrivedAt: message.arrivedAt,
    ...positionOf(camera, position),
    heading: heading ?? camera.heading,
    speed,
    feed: parseFeed(message.header('Feed')),
    jpeg: message.payload,
  }
}

function parsePosition(value: string | undefined): { lat: number; lon: number } | undefined {
  if (value === undefined || value === '') return undefined
  const match = /^(-?\d{1,2}(?:\.\d+)?), ?(-?\d{1,3}(?:\.\d+)?)$/.exec(value)
  const lat = Number(match?.[1])
  const lon = Number(match?.[2])
  if (!match || Math.abs(lat) > 90 || Math.abs(lon) > 180) {
    throw new AlprError('ALPR_ERR_FRAME_HEADER_INVALID', {
      header: 'Position',
      value: value.slice(0, 64),
      expected: '"lat,lon" in degrees',
    })
  }
  return { lat, lon }
}

/** A number from 0 to `most`. Any other value is left out: it must not cost the frame. */
function parseNumber(header: string, value: string | undefined, most: number, leftOut: string[]): number | undefined {
  if (value === undefined || value === '') return undefined
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN
  if (number <= most) return number
  leftOut.push(header.toLowerCase())
  return undefined
}

function parseFeed(value = ''): string {
  if (!/^[0-9a-f]{0,64}$/.test(value))
    throw new AlprError('ALPR_ERR_FRAME_HEADER_INVALID', {
      header: 'Feed',
      value: value.slice(0, 64),
      expected: 'up to 64 hex digits',
    })
  return value
}

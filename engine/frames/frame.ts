import { AlprError } from '../errors.js'
import type { Camera } from './camera.js'

/** One encoded image from one camera at one instant, checked and placed. */
export interface Frame {
  /** Sequence on stream FRAMES: ids derive from it. */
  seq: number
  camera: Camera
  /** Event time, milliseconds since 1970 UTC. */
  capturedAt: number
  lat: number
  lon: number
  /** Degrees clockwise from north: of the camera's view for a fixed camera, of the vehicle for a mobile one. */
  heading?: number
  /** Metres a second. */
  speed?: number
  /** Id of the recording it comes from, empty for a live camera. */
  feed: string
  jpeg: Uint8Array
}

/** A message as it came from the stream, before any check. */
export interface FrameMessage {
  seq: number
  subject: string
  /** Name of the camera as the subject gives it. */
  camera: string
  /** When the stream took it in, milliseconds: the only clock that a replay sees again. */
  arrivedAt: number
  header: (name: string) => string | undefined
  payload: Uint8Array
}

/** 8 MB: twenty times a usual 1080p photo. */
export const MAX_FRAME_BYTES = 8_388_608

/** No digital plate camera is older; a time before it is a camera whose clock was never set. */
export const EARLIEST_CAPTURE = Date.UTC(2000, 0, 1)

const RFC3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)$/

/**
 * Checks all that can be known without decoding: payload size, camera, time, position (CAN-3: no read without time and position).
 * @throws AlprError ALPR_ERR_FRAME_* or ALPR_ERR_CAMERA_UNKNOWN: the reason under which the frame goes to DEAD
 */
export function parseFrame(message: FrameMessage, cameras: ReadonlyMap<string, Camera>, futureToleranceMs: number): Frame {
  const camera = cameras.get(message.camera)
  if (!camera) throw new AlprError('ALPR_ERR_CAMERA_UNKNOWN', { camera: message.camera })
  if (message.payload.length === 0) throw new AlprError('ALPR_ERR_FRAME_EMPTY')
  if (message.payload.length > MAX_FRAME_BYTES) {
    throw new AlprError('ALPR_ERR_FRAME_TOO_LARGE', { what: 'payload bytes', value: message.payload.length, limit: MAX_FRAME_BYTES })
  }
  const capturedAt = parseCapturedAt(message.header('Captured-At'), message.arrivedAt, futureToleranceMs)
  const position = parsePosition(message.header('Position'))
  const heading = parseNumber('Heading', message.header('Heading'), 0, 360, 'degrees from 0 to 360')
  const speed = parseNumber('Speed', message.header('Speed'), 0, 150, 'metres a second from 0 to 150')
  return { seq: message.seq, camera, capturedAt, ...place(camera, position), heading: heading ?? camera.heading, speed, feed: parseFeed(message.header('Feed')), jpeg: message.payload }
}

function parseCapturedAt(value: string | undefined, arrivedAt: number, futureToleranceMs: number): number {
  if (value === undefined || value === '') throw new AlprError('ALPR_ERR_FRAME_TIME_MISSING')
  const time = RFC3339_UTC.test(value) ? Date.parse(value) : NaN
  if (Number.isNaN(time)) throw new AlprError('ALPR_ERR_FRAME_TIME_INVALID', { value: value.slice(0, 64) })
  if (time < EARLIEST_CAPTURE) throw new AlprError('ALPR_ERR_FRAME_TIME_ABSURD', { value, limit: new Date(EARLIEST_CAPTURE).toISOString() })
  if (time > arrivedAt + futureToleranceMs) throw new AlprError('ALPR_ERR_FRAME_TIME_FUTURE', { value, limit: futureToleranceMs / 1000 })
  return time
}

function parsePosition(value: string | undefined): { lat: number; lon: number } | undefined {
  if (value === undefined || value === '') return undefined
  const match = /^(-?\d{1,2}(?:\.\d+)?), ?(-?\d{1,3}(?:\.\d+)?)$/.exec(value)
  const lat = Number(match?.[1])
  const lon = Number(match?.[2])
  if (!match || Math.abs(lat) > 90 || Math.abs(lon) > 180) {
    throw new AlprError('ALPR_ERR_FRAME_HEADER_INVALID', { header: 'Position', value: value.slice(0, 64), expected: '"lat,lon" in degrees' })
  }
  return { lat, lon }
}

function parseNumber(header: string, value: string | undefined, min: number, max: number, expected: string): number | undefined {
  if (value === undefined || value === '') return undefined
  const number = /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : NaN
  if (!(number >= min && number <= max)) throw new AlprError('ALPR_ERR_FRAME_HEADER_INVALID', { header, value: value.slice(0, 64), expected })
  return number
}

function parseFeed(value = ''): string {
  if (!/^[0-9a-f]{0,64}$/.test(value)) throw new AlprError('ALPR_ERR_FRAME_HEADER_INVALID', { header: 'Feed', value: value.slice(0, 64), expected: 'up to 64 hex digits' })
  return value
}

/** A fixed camera stands where the registry says; others are where the frame says, or else where the registry last put them. */
function place(camera: Camera, position: { lat: number; lon: number } | undefined): { lat: number; lon: number } {
  const registered = camera.lat !== undefined && camera.lon !== undefined ? { lat: camera.lat, lon: camera.lon } : undefined
  const found = camera.kind === 'fixed' ? registered : (position ?? registered)
  if (!found) throw new AlprError('ALPR_ERR_FRAME_POSITION_MISSING', { camera: camera.id })
  return found
}

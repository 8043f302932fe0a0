import { AlprError } from '../errors.js'
import type { Camera } from './camera.js'

/** One instant at one camera, checked and placed: what detections are seen in. */
export interface Capture {
  /** Sequence on the stream it came by: ids derive from it. */
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
  /** The picture, where there is one. */
  jpeg?: Uint8Array
}

/** A message as it came from the stream, before any check. */
export interface CameraMessage {
  seq: number
  subject: string
  /** Name of the camera as the subject gives it. */
  camera: string
  /** When the stream took it in, milliseconds: the only clock that a replay sees again. */
  arrivedAt: number
  header: (name: string) => string | undefined
  payload: Uint8Array
}

/** No digital plate camera is older; a time before it is a camera whose clock was never set. */
export const EARLIEST_CAPTURE = Date.UTC(2000, 0, 1)

const RFC3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)$/

/** Milliseconds. @throws ALPR_ERR_FRAME_TIME_* */
export function parseCapturedAt(value: string | undefined, arrivedAt: number, futureToleranceMs: number): number {
  if (value === undefined || value === '') throw new AlprError('ALPR_ERR_FRAME_TIME_MISSING')
  const time = RFC3339_UTC.test(value) ? Date.parse(value) : NaN
  if (Number.isNaN(time)) throw new AlprError('ALPR_ERR_FRAME_TIME_INVALID', { value: value.slice(0, 64) })
  if (time < EARLIEST_CAPTURE)
    throw new AlprError('ALPR_ERR_FRAME_TIME_ABSURD', { value, limit: new Date(EARLIEST_CAPTURE).toISOString() })
  if (time > arrivedAt + futureToleranceMs)
    throw new AlprError('ALPR_ERR_FRAME_TIME_FUTURE', { value, limit: futureToleranceMs / 1000 })
  return time
}

/**
 * A fixed camera stands where the registry says; others are where the frame says, or else where the registry last put
 * them.
 */
export function place(
  camera: Camera,
  position: { lat: number; lon: number } | undefined,
): { lat: number; lon: number } {
  const registered =
    camera.lat !== undefined && camera.lon !== undefined ? { lat: camera.lat, lon: camera.lon } : undefined
  const found = camera.kind === 'fixed' ? registered : (position ?? registered)
  if (!found) throw new AlprError('ALPR_ERR_FRAME_POSITION_MISSING', { camera: camera.id })
  return found
}

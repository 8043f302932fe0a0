import { AlprError } from '../errors.js'
import type { Camera } from './camera.js'
import { parseInstant } from './time.js'

/** One instant at one camera, with a valid time and a position: what detections are observed in. */
export interface Capture {
  /** Sequence on its stream: read ids derive from it. */
  seq: number
  camera: Camera
  /** Event time, milliseconds since 1970 UTC. */
  capturedAt: number
  /** When the stream stored its message, milliseconds: decides which versions of the hot lists apply. */
  arrivedAt: number
  lat: number
  lon: number
  /** Degrees clockwise from north: of the camera's view for a fixed camera, of the vehicle for a mobile one. */
  heading?: number
  /** Metres per second. */
  speed?: number
  /** Id of the recorded feed it comes from, empty for a live camera. */
  feed: string
  /** The picture, if there is one. */
  jpeg?: Uint8Array
  /** The message with the camera's own pictures (pictured_message.ts), if it has any. */
  pictured?: Uint8Array
}

/** A message of the stream, not validated. */
export interface CameraMessage {
  seq: number
  subject: string
  /** Id of the camera, from the subject. */
  camera: string
  /** When the stream stored it, milliseconds: the only clock that a replay reproduces. */
  arrivedAt: number
  header: (name: string) => string | undefined
  /** Why the headers cannot be read; then there are none. */
  headerFault?: string
  payload: Uint8Array
}

/** No digital plate camera is older: an earlier time comes from a camera whose clock was never set. */
export const EARLIEST_CAPTURE = Date.UTC(2000, 0, 1)

const RFC3339_UTC = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|\+00:00)$/

/**
 * A time is in the future when the clock of the NATS server and our own say so: a slow clock of either must not turn
 * live frames into dead letters.
 * @param arrivedAt when the message arrived, by the server's clock, ms
 * @param now by our own clock, ms
 * @returns milliseconds since 1970 UTC
 * @throws ALPR_ERR_FRAME_TIME_*
 */
export function parseCapturedAt(
  value: string | undefined,
  arrivedAt: number,
  futureToleranceMs: number,
  now = Date.now(),
): number {
  if (value === undefined || value === '') throw new AlprError('ALPR_ERR_FRAME_TIME_MISSING')
  const time = RFC3339_UTC.test(value) ? parseInstant(value) : undefined
  if (time === undefined) throw new AlprError('ALPR_ERR_FRAME_TIME_INVALID', { value: value.slice(0, 64) })
  if (time < EARLIEST_CAPTURE)
    throw new AlprError('ALPR_ERR_FRAME_TIME_ABSURD', { value, limit: new Date(EARLIEST_CAPTURE).toISOString() })
  if (time > Math.max(arrivedAt, now) + futureToleranceMs)
    throw new AlprError('ALPR_ERR_FRAME_TIME_FUTURE', { value, limit: futureToleranceMs / 1000 })
  return time
}

/**
 * The position of a capture: of a fixed camera the one in the registry; of any other the one in the message, or else
 * the one in the registry.
 * @throws ALPR_ERR_FRAME_POSITION_MISSING
 */
export function positionOf(
  camera: Camera,
  position: { lat: number; lon: number } | undefined,
): { lat: number; lon: number } {
  const registered =
    camera.lat !== undefined && camera.lon !== undefined ? { lat: camera.lat, lon: camera.lon } : undefined
  const found = camera.kind === 'fixed' ? registered : (position ?? registered)
  if (!found) throw new AlprError('ALPR_ERR_FRAME_POSITION_MISSING', { camera: camera.id })
  return found
}

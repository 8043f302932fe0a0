import { Type, type Static } from '@sinclair/typebox'
import { AlprError } from '../errors.js'
import { faultText, parserOf } from '../runtime/validate.js'
import { pushFault, PushSchema } from './camera_push.js'
import { addressFault, LiveSchema } from './live_camera.js'

/** The id of a camera is a NATS subject token and part of other ids: lower case, digits and dashes. */
export const CAMERA_ID = /^[a-z0-9-]{1,64}$/

/** A camera. Its record states which direction it covers (CAN-4). */
export const CameraSchema = Type.Object(
  {
    id: Type.String({ pattern: CAMERA_ID.source }),
    name: Type.String({ minLength: 1, maxLength: 200 }),
    kind: Type.Union([Type.Literal('fixed'), Type.Literal('mobile'), Type.Literal('trailer')]),
    /** Degrees, WGS 84. A fixed camera needs both; a mobile one sends its position with each frame. */
    lat: Type.Optional(Type.Number({ minimum: -90, maximum: 90 })),
    lon: Type.Optional(Type.Number({ minimum: -180, maximum: 180 })),
    /** Direction of view, degrees clockwise from north. */
    heading: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 360 })),
    agency: Type.String({ maxLength: 200, default: '' }),
    /** Of a camera that sends to the push door of the gateway. */
    push: Type.Optional(PushSchema),
    /** Of a camera whose pictures an ingest process pulls. */
    live: Type.Optional(LiveSchema),
  },
  { additionalProperties: false },
)

export type Camera = Static<typeof CameraSchema>

const invalid = (value: unknown, reason: string): AlprError =>
  new AlprError('ALPR_ERR_CAMERA_INVALID', { camera: String((value as { id?: unknown } | null)?.id ?? ''), reason })

const parse = parserOf<Camera>(CameraSchema, (fault, value) => invalid(value, faultText(fault, 'record')), {
  copy: false,
})

/** A camera record, defaults filled in. @throws ALPR_ERR_CAMERA_INVALID naming the field */
export const parseCamera = (value: unknown): Camera => ownCamera(structuredClone(value))

/**
 * A record that comes into the registry. One that is in it may be at 0,0: an earlier release accepted that.
 * @throws ALPR_ERR_CAMERA_INVALID naming the field, or because it is at 0,0
 */
export function parseNewCamera(value: unknown): Camera {
  const camera = parseCamera(value)
  const { lat, lon } = camera
  if (lat !== undefined && lon !== undefined && isWithoutFix({ lat, lon }))
    throw invalid(value, 'position 0,0 is in the sea, where a receiver without a fix says it is; give lat and lon')
  return camera
}

/** Degrees around 0,0, in the sea, where a receiver says it is before it knows. */
const NO_FIX = 0.001

/** Whether a position is that of a receiver without a fix: it is none. */
export const isWithoutFix = ({ lat, lon }: { lat: number; lon: number }): boolean =>
  Math.abs(lat) < NO_FIX && Math.abs(lon) < NO_FIX

/**
 * As `parseCamera`, for a value that nobody else has: it becomes the record. One that JSON.parse made takes two
 * thirds of the memory of its copy, because it shares its short texts with others.
 * @throws ALPR_ERR_CAMERA_INVALID naming the field
 */
export function ownCamera(value: unknown): Camera {
  const camera = parse(value)
  if (camera.kind === 'fixed' && (camera.lat === undefined || camera.lon === undefined))
    throw invalid(value, 'lat and lon are needed for a fixed camera')
  const fault = (camera.push && pushFault(camera.push)) ?? (camera.live && addressFault(camera.live.url))
  if (fault) throw invalid(value, fault)
  return camera
}

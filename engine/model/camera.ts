import { Type, type Static } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { AlprError } from '../errors.js'

/** The name of a camera is a NATS subject token and part of ids: lower case, digits and dashes. */
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
    /** Degrees clockwise from north, the direction the camera faces. */
    heading: Type.Optional(Type.Number({ minimum: 0, exclusiveMaximum: 360 })),
    agency: Type.String({ maxLength: 200, default: '' }),
  },
  { additionalProperties: false },
)

export type Camera = Static<typeof CameraSchema>

const isCamera = new Ajv({ useDefaults: true }).compile<Camera>(CameraSchema)

/** @throws ALPR_ERR_CAMERA_INVALID naming the field */
export function parseCamera(value: unknown): Camera {
  const camera = structuredClone(value) as Camera
  const id = String((value as { id?: unknown })?.id ?? '')
  if (!isCamera(camera)) {
    const error = isCamera.errors![0]!
    throw new AlprError('ALPR_ERR_CAMERA_INVALID', {
      camera: id,
      reason: `${error.instancePath.slice(1) || 'record'} ${error.message}`,
    })
  }
  if (camera.kind === 'fixed' && (camera.lat === undefined || camera.lon === undefined)) {
    throw new AlprError('ALPR_ERR_CAMERA_INVALID', { camera: id, reason: 'lat and lon are needed for a fixed camera' })
  }
  return camera
}

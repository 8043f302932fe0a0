import { Type } from '@sinclair/typebox'
import { AlprError } from '../errors.js'
import { faultText, parserOf } from '../runtime/validate.js'
import type { Hit } from './hit.js'

/** JSON has `null` for a number that is none. */
const Figure = Type.Optional(Type.Union([Type.Number(), Type.Null()]))
const Text = Type.String()
const Decoration = Type.Optional(Type.Union([Type.String(), Type.Null()]))
const Time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}' })
const Crop = Type.Optional(
  Type.Object({
    segment: Type.String({ minLength: 1 }),
    offset: Type.Integer({ minimum: 0 }),
    length: Type.Integer({ minimum: 1 }),
  }),
)

/**
 * What filters and consoles rely on, and no more: a hit is not withheld for a field that only adds to it, nor for one
 * that this release does not know.
 */
const HitSchema = Type.Object({
  hitId: Type.String({ minLength: 1 }),
  revision: Type.Integer({ minimum: 1 }),
  state: Text,
  plate: Text,
  confidence: Figure,
  alternates: Type.Array(Type.Object({ plate: Text, confidence: Figure })),
  listedPlate: Text,
  list: Type.String({ minLength: 1 }),
  listName: Decoration,
  reason: Decoration,
  priority: Text,
  probability: Figure,
  tolerated: Type.Array(Type.Object({ position: Type.Integer({ minimum: 0 }), read: Text, listed: Text })),
  camera: Type.String({ minLength: 1 }),
  cameraName: Decoration,
  lat: Type.Number(),
  lon: Type.Number(),
  heading: Figure,
  direction: Decoration,
  ts: Time,
  tsLast: Time,
  crop: Crop,
  picture: Crop,
})

/**
 * The hit of a message of stream HITS. Anybody who may publish there can send anything.
 * @throws ALPR_ERR_REQUEST_INVALID with the field that is not one of a hit; its value is not quoted
 */
export const hitOf = parserOf<Hit>(
  HitSchema,
  (fault) =>
    new AlprError('ALPR_ERR_REQUEST_INVALID', { field: fault.field || 'hit', reason: faultText(fault, 'hit') }),
  { copy: false },
)

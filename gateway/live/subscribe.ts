import { Type } from '@sinclair/typebox'
import { CAMERA_ID, faultText, LIST_ID, parserOf } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'
import type { SubscribeMessage } from './protocol.js'

const Longitude = Type.Number({ minimum: -180, maximum: 180 })
const Latitude = Type.Number({ minimum: -90, maximum: 90 })

const SCHEMA = Type.Object(
  {
    type: Type.Literal('subscribe'),
    since: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    epoch: Type.Optional(Type.String({ maxLength: 64 })),
    lists: Type.Optional(Type.Array(Type.String({ pattern: LIST_ID.source }), { maxItems: 1_000 })),
    cameras: Type.Optional(Type.Array(Type.String({ pattern: CAMERA_ID.source }), { maxItems: 1_000 })),
    priority: Type.Optional(
      Type.Array(Type.Union(['high', 'medium', 'low', 'informational'].map((v) => Type.Literal(v))), { maxItems: 4 }),
    ),
    area: Type.Optional(Type.Tuple([Longitude, Latitude, Longitude, Latitude])),
    reads: Type.Optional(Type.Boolean()),
    purpose: Type.Optional(Type.String({ maxLength: 500 })),
  },
  { additionalProperties: false },
)

const parse = parserOf<SubscribeMessage>(
  SCHEMA,
  (fault) => new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: faultText(fault, 'message') }),
  { copy: false },
)

/**
 * @param text `undefined` for a binary message
 * @throws ALPR_ERR_REQUEST_INVALID naming the field
 */
export function parseSubscribe(text: string | undefined): SubscribeMessage {
  let value: unknown
  try {
    value = JSON.parse(text ?? '')
  } catch {
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: 'the message is not JSON text' })
  }
  return parse(value)
}

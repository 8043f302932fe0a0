import { Type, type Static } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { AlprError } from '../errors.js'

/** The id of a hot list is a NATS subject token. */
export const LIST_ID = /^[a-z0-9-]{1,64}$/

/**
 * The record of a list in the key-value bucket HOTLISTS; the entries are an object of the same name in HOTLIST_FILES.
 */
export const HotListSchema = Type.Object(
  {
    id: Type.String({ pattern: LIST_ID.source }),
    name: Type.String({ minLength: 1, maxLength: 200 }),
    /** A special hot list is informational and not shareable (RV 426.6.4 c). */
    kind: Type.Union([Type.Literal('hot'), Type.Literal('special')]),
    priority: Type.Union(['high', 'medium', 'low', 'informational'].map((v) => Type.Literal(v as 'high'))),
    source: Type.String({ maxLength: 200, default: 'local' }),
    /** First 16 hex digits of the SHA-256 of the entries' canonical text. */
    version: Type.String({ pattern: '^[0-9a-f]{16}$' }),
    loadedAt: Type.String({ minLength: 20 }),
    entries: Type.Integer({ minimum: 0 }),
    /** Exact lists take no misreads; tolerant ones take matches from `threshold` on. */
    tolerance: Type.Union([Type.Literal('exact'), Type.Literal('tolerant')], { default: 'tolerant' }),
    threshold: Type.Number({ minimum: 0.001, maximum: 1, default: 0.5 }),
  },
  { additionalProperties: false },
)

export type HotList = Omit<Static<typeof HotListSchema>, 'priority'> & {
  priority: 'high' | 'medium' | 'low' | 'informational'
}

/**
 * One line of a list. `from` and `until` are event time, milliseconds: an entry is in force in `[from, until)` (HPL-1).
 */
export interface HotListEntry {
  plate: string
  reason: string
  region?: string
  from?: number
  until?: number
}

const check = new Ajv({ useDefaults: true }).compile<HotList>(HotListSchema)

/** @throws ALPR_ERR_HOTLIST_INVALID naming the field */
export function parseHotList(value: unknown): HotList {
  const list = structuredClone(value) as HotList
  if (!check(list)) {
    const error = check.errors![0]!
    throw new AlprError('ALPR_ERR_HOTLIST_INVALID', {
      list: String((value as { id?: unknown })?.id ?? ''),
      reason: `${error.instancePath.slice(1) || 'record'} ${error.message}`,
    })
  }
  return list
}

/** A plate as it is compared: upper case, only `[A-Z0-9]`. The original is kept by whoever needs it. */
export { normalisePlate } from '../../wasm/mod.js'

import { Type, type Static } from '@sinclair/typebox'
import { AlprError } from '../errors.js'
import { contentVersion } from '../runtime/content_version.js'
import { faultText, parserOf } from '../runtime/validate.js'

/** The id of a hot list is a NATS subject token. */
export const LIST_ID = /^[a-z0-9-]{1,64}$/

/** The record of a hot list in key-value bucket HOTLISTS. Its entries are an object of bucket HOTLIST_FILES. */
export const HotListSchema = Type.Object(
  {
    id: Type.String({ pattern: LIST_ID.source }),
    name: Type.String({ minLength: 1, maxLength: 200 }),
    /** A special hot list is informational and must not be shared (RV 426.6.4 c). */
    kind: Type.Union([Type.Literal('hot'), Type.Literal('special')]),
    priority: Type.Union(['high', 'medium', 'low', 'informational'].map((v) => Type.Literal(v as 'high'))),
    source: Type.String({ maxLength: 200, default: 'local' }),
    /** Content version of the entries' canonical text (hotlist_entries.ts). */
    version: Type.String({ pattern: '^[0-9a-f]{16}$' }),
    loadedAt: Type.String({ minLength: 20 }),
    entries: Type.Integer({ minimum: 0 }),
    /** Exact lists accept no misreads; tolerant ones accept matches from `threshold` on. */
    tolerance: Type.Union([Type.Literal('exact'), Type.Literal('tolerant')], { default: 'tolerant' }),
    /** Probability from which a match is a hit. */
    threshold: Type.Number({ minimum: 0.001, maximum: 1, default: 0.5 }),
  },
  { additionalProperties: false },
)

export type HotList = Omit<Static<typeof HotListSchema>, 'priority'> & {
  priority: 'high' | 'medium' | 'low' | 'informational'
}

/** Most hot lists: each read is matched against all of them. */
export const MAX_HOT_LISTS = 256

/**
 * Version of everything in a list that decides which reads match it: its entries, its tolerance and its threshold.
 * Engines report it, reads name it in their provenance, and the gateway compares.
 */
export const ruleVersion = ({ id, version, tolerance, threshold }: HotList): string =>
  contentVersion([JSON.stringify([id, version, tolerance, threshold])])

/** One entry of a hot list. `from` and `until` are event time in ms: it is in force in `[from, until)` (HPL-1). */
export interface HotListEntry {
  plate: string
  reason: string
  region?: string
  from?: number
  until?: number
}

/** A hot list record, defaults filled in. @throws ALPR_ERR_HOTLIST_INVALID naming the field */
export const parseHotList: (value: unknown) => HotList = parserOf<HotList>(
  HotListSchema,
  (fault, value) =>
    new AlprError('ALPR_ERR_HOTLIST_INVALID', {
      list: String((value as { id?: unknown } | null)?.id ?? ''),
      reason: faultText(fault, 'record'),
    }),
)

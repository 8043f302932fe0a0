import { Type, type Static } from '@sinclair/typebox'
import { parsePattern, WasmError, type Pattern } from '../../wasm/mod.js'
import { AlprError } from '../errors.js'
import { DAY_MS } from '../model/time.js'
import { faultText, parserOf } from '../runtime/validate.js'

/** The id of a standing partial is a NATS key-value key. */
export const PARTIAL_ID = /^[a-z0-9-]{1,64}$/
/** Longest time that a standing partial is in force, ms: that of a hot plate (HPL-1, RV 426.6.5). */
export const MAX_PARTIAL_MS = 30 * DAY_MS

/** A partial plate that watches the live stream (CAN-2), in key-value bucket PARTIALS. Times: event time, ms UTC. */
export const StandingPartialSchema = Type.Object(
  {
    id: Type.String({ pattern: PARTIAL_ID.source }),
    /** As typed, not normalised. */
    pattern: Type.String({ minLength: 1, maxLength: 128 }),
    /** The major crime, and the case that it belongs to. */
    reason: Type.String({ minLength: 1, maxLength: 500 }),
    caseNumber: Type.String({ minLength: 1, maxLength: 64 }),
    enteredBy: Type.String({ minLength: 1, maxLength: 100 }),
    enteredAt: Type.Integer({ minimum: 0 }),
    from: Type.Integer({ minimum: 0 }),
    until: Type.Integer({ minimum: 0 }),
    priority: Type.Union(['high', 'medium', 'low', 'informational'].map((v) => Type.Literal(v as 'high'))),
    /** Probability from which a read is a hit. */
    threshold: Type.Number({ minimum: 0.0001, maximum: 1 }),
  },
  { additionalProperties: false },
)

export type StandingPartial = Omit<Static<typeof StandingPartialSchema>, 'priority'> & {
  priority: 'high' | 'medium' | 'low' | 'informational'
}

const invalid = (value: unknown, reason: string): AlprError =>
  new AlprError('ALPR_ERR_PARTIAL_INVALID', { partial: String((value as { id?: unknown } | null)?.id ?? ''), reason })

const parse = parserOf<StandingPartial>(StandingPartialSchema, (fault, value) =>
  invalid(value, faultText(fault, 'record')),
)

/**
 * A valid standing partial: its fields and its pattern are valid, the pattern is specific enough, and it ends within 30
 * days of its entry (HPL-1).
 * @throws ALPR_ERR_PARTIAL_INVALID naming the field, ALPR_ERR_PATTERN_... for the pattern
 */
export function parseStandingPartial(value: unknown): StandingPartial {
  const partial = parse(value)
  if (partial.until <= partial.from) throw invalid(value, 'it ends before it begins')
  if (partial.until - partial.enteredAt > MAX_PARTIAL_MS)
    throw invalid(value, 'it ends more than 30 days after it was entered')
  const { fragments, edits } = patternOf(partial)
  // A pattern that any vehicle satisfies would track everyone.
  const named = fragments.flatMap(({ elements }) => elements).filter(({ classes }) => classes !== undefined).length
  if (named - edits < 2) throw invalid(value, 'it must name at least two characters more than the errors it allows')
  return partial
}

function patternOf(partial: StandingPartial): Pattern {
  try {
    return parsePattern(partial.pattern)
  } catch (error) {
    if (error instanceof WasmError) throw new AlprError(error.code, error.details, { cause: error })
    throw error
  }
}

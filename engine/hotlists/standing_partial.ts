import { Type, type Static } from '@sinclair/typebox'
import { Ajv } from 'ajv'
import { parsePattern, WasmError } from '../../wasm/mod.js'
import { AlprError } from '../errors.js'

/** The id of a standing partial is a NATS key-value key. */
export const PARTIAL_ID = /^[a-z0-9-]{1,64}$/
/** Longest that a standing partial watches: as a hot plate (HPL-1, RV 426.6.5). */
export const MAX_PARTIAL_MS = 30 * 86_400_000

/**
 * A pattern that watches the live stream (CAN-2), in the key-value bucket PARTIALS. Times in ms since 1970 UTC, event
 * time.
 */
export const StandingPartialSchema = Type.Object(
  {
    id: Type.String({ pattern: PARTIAL_ID.source }),
    /** As typed; kept as it is. */
    pattern: Type.String({ minLength: 1, maxLength: 128 }),
    /** The major crime, and the case it belongs to. */
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

const check = new Ajv().compile<StandingPartial>(StandingPartialSchema)

/**
 * A standing partial, checked: its fields, its pattern, that it says something, and that it ends within 30 days of its
 * entry (HPL-1).
 * @throws ALPR_ERR_PARTIAL_INVALID naming the field, ALPR_ERR_PATTERN_... for the pattern
 */
export function parseStandingPartial(value: unknown): StandingPartial {
  const id = String((value as { id?: unknown } | undefined)?.id ?? '')
  const invalid = (reason: string) => new AlprError('ALPR_ERR_PARTIAL_INVALID', { partial: id, reason })
  if (!check(value)) {
    const error = check.errors![0]!
    throw invalid(`${error.instancePath.slice(1) || 'record'} ${error.message}`)
  }
  const partial = value as StandingPartial
  if (partial.until <= partial.from) throw invalid('it ends before it begins')
  if (partial.until - partial.enteredAt > MAX_PARTIAL_MS)
    throw invalid('it ends more than 30 days after it was entered')
  let pattern
  try {
    pattern = parsePattern(partial.pattern)
  } catch (error) {
    if (error instanceof WasmError) throw new AlprError(error.code, error.details, { cause: error })
    throw error
  }
  // One that any vehicle satisfies would watch everybody.
  const told = pattern.fragments
    .flatMap(({ elements }) => elements)
    .filter((element) => element.classes !== undefined).length
  if (told - pattern.edits < 2) throw invalid('it must name at least two characters more than the errors it allows')
  return partial
}

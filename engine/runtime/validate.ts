import type { Static, TSchema } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import { AlprError } from '../errors.js'

const ajv = new Ajv({ useDefaults: true, coerceTypes: false, allErrors: false, strict: false })
const compiled = new WeakMap<TSchema, ValidateFunction>()

/**
 * A copy of `input` that conforms to `schema`, with defaults filled in. Rejects unknown fields.
 * @throws ALPR_ERR_REQUEST_INVALID naming the field
 */
export function validate<T extends TSchema>(schema: T, input: unknown): Static<T> {
  let check = compiled.get(schema)
  if (!check) compiled.set(schema, (check = ajv.compile(schema)))
  const copy = structuredClone(input) as Static<T>
  if (check(copy)) return copy
  const error = check.errors![0]!
  const unknown = (error.params as { additionalProperty?: string }).additionalProperty
  const field = [error.instancePath.slice(1).replaceAll('/', '.'), unknown].filter(Boolean).join('.') || 'question'
  throw new AlprError('ALPR_ERR_REQUEST_INVALID', {
    field,
    reason: unknown ? `there is no field ${field}` : `${field} ${error.message ?? 'is not valid'}`,
  })
}

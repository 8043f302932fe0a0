import type { Static, TSchema } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import { AlprError } from '../errors.js'

/** What is wrong with a value: the first fault that its schema finds. */
export interface SchemaFault {
  /** Dotted path of the field at fault, such as `engine.workers` or `quad.0.1`; empty for the value as a whole. */
  field: string
  /** The schema has no such field. */
  unknown: boolean
  /** The limit that the field breaks, as a predicate: `must be >= 1`. */
  limit: string
}

/** The part of an AJV error that makes a fault. Fastify's validation errors have the same shape. */
export interface SchemaError {
  keyword: string
  instancePath: string
  message?: string
  params: Record<string, unknown>
}

/** An unknown field is named by at most this many characters: its name comes from outside. */
const MAX_NAME = 64

/** The fault behind the errors of one AJV run (`allErrors: false`). @param errors the errors as AJV lists them */
export function schemaFault(errors: readonly SchemaError[] | null | undefined): SchemaFault {
  const first = errors?.[0]
  if (!first) return { field: '', unknown: false, limit: 'is not valid' }
  const names = first.instancePath.split('/').slice(1).map(unescapePointer)
  const extra = first.params.additionalProperty
  const unknown = typeof extra === 'string'
  if (unknown) names.push(extra.slice(0, MAX_NAME))
  return { field: names.join('.'), unknown, limit: limitOf(first, errors) }
}

/**
 * One sentence without a full stop that names the field and the limit: `lat must be <= 90`, `there is no field colour`.
 * @param whole what to call the value when no field of it is at fault
 */
export function faultText({ field, unknown, limit }: SchemaFault, whole = 'it'): string {
  return unknown ? `there is no field ${field}` : `${field || whole} ${limit}`
}

const ajv = new Ajv({ useDefaults: true, coerceTypes: false, allErrors: false, strict: false })

/**
 * Makes a parser of a schema. The parser returns a copy of a valid value with the schema's defaults filled in, and
 * throws what `invalid` returns for any other value. The schema is compiled at the first call (some milliseconds).
 * @param options.copy false: the parser returns the value itself and fills the defaults into it
 */
export function parserOf<T>(
  schema: TSchema,
  invalid: (fault: SchemaFault, value: unknown) => Error,
  options: { copy?: boolean } = {},
): (value: unknown) => T {
  const { copy = true } = options
  let check: ValidateFunction<T> | undefined
  return (value) => {
    check ??= ajv.compile<T>(schema)
    const parsed = copy ? structuredClone(value) : value
    if (check(parsed)) return parsed
    throw invalid(schemaFault(check.errors), value)
  }
}

const requestParsers = new WeakMap<TSchema, (value: unknown) => unknown>()

/**
 * A copy of a request that matches `schema`, defaults filled in.
 * @throws ALPR_ERR_REQUEST_INVALID with the field and the reason
 */
export function validate<S extends TSchema>(schema: S, input: unknown): Static<S> {
  let parse = requestParsers.get(schema)
  if (!parse) requestParsers.set(schema, (parse = parserOf(schema, invalidRequest)))
  return parse(input) as Static<S>
}

function invalidRequest(fault: SchemaFault): AlprError {
  return new AlprError('ALPR_ERR_REQUEST_INVALID', {
    field: fault.field || 'question',
    reason: faultText(fault, 'question'),
  })
}

/** TypeBox writes a union of literals as `anyOf` of constants: each of them is an error of its own. */
function limitOf(first: SchemaError, errors: readonly SchemaError[]): string {
  const allowed =
    first.keyword === 'enum'
      ? (first.params.allowedValues as unknown[])
      : first.keyword === 'const'
        ? errors
            .filter(({ keyword, instancePath }) => keyword === 'const' && instancePath === first.instancePath)
            .map(({ params }) => params.allowedValue)
        : []
  if (allowed.length === 0) return first.message ?? 'is not valid'
  return allowed.length === 1 ? `must be ${String(allowed[0])}` : `must be one of ${allowed.map(String).join(', ')}`
}

/** JSON Pointer (RFC 6901) writes `/` as `~1` and `~` as `~0`. */
const unescapePointer = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~')

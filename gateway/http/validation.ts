import { Ajv } from 'ajv'
import type { FastifyInstance } from 'fastify'

/**
 * Unknown fields are refused, never dropped, and values keep their type: `"5"` is no number in a body. Only in an
 * address everything is text, so numbers and booleans are read from it there. Answers are serialised as they are; their
 * schemas are documentation.
 */
export function validateStrictly(app: FastifyInstance): void {
  const shared = { removeAdditional: false, useDefaults: true, allErrors: false, strict: false } as const
  const body = new Ajv({ ...shared, coerceTypes: false })
  const address = new Ajv({ ...shared, coerceTypes: true })
  app.setValidatorCompiler<object>(({ schema, httpPart }) => (httpPart === 'body' ? body : address).compile(schema))
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
}

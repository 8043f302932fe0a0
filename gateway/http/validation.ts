import { Ajv } from 'ajv'
import type { FastifyInstance } from 'fastify'

/**
 * Refuses unknown fields instead of dropping them, and does not convert values: in a body `"5"` is not a number. A URL
 * holds text only, so numbers and booleans are converted there. Responses are serialized as they are; their schemas are
 * documentation.
 */
export function validateStrictly(app: FastifyInstance): void {
  const shared = { removeAdditional: false, useDefaults: true, allErrors: false, strict: false } as const
  const body = new Ajv({ ...shared, coerceTypes: false })
  const url = new Ajv({ ...shared, coerceTypes: true })
  app.setValidatorCompiler<object>(({ schema, httpPart }) => (httpPart === 'body' ? body : url).compile(schema))
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
}

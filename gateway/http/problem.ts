import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from '@sinclair/typebox'
import { faultText, schemaFault, type SchemaError } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'

/** The body of every error response. */
export const ProblemSchema = Type.Object(
  {
    code: Type.String({ description: 'a stable error code, for example ALPR_ERR_REQUEST_INVALID' }),
    message: Type.String(),
    details: Type.Record(Type.String(), Type.Unknown(), { description: 'the values that caused the error' }),
  },
  { description: 'error' },
)

/** The error responses of a route, for its schema. */
export const problems = (...statuses: number[]) =>
  Object.fromEntries(statuses.map((status) => [status, ProblemSchema])) as Record<number, typeof ProblemSchema>

/**
 * Sends every error as `{code, message, details}`. An unexpected error is logged and sent as ALPR_ERR_INTERNAL, without
 * its text.
 */
export function answerProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError | AlprError, request, reply) => {
    const { status, problem } = asProblem(error)
    if (status >= 500 && problem.code === 'ALPR_ERR_INTERNAL')
      request.log.error({ err: error, code: problem.code, route: request.routeOptions.url }, 'a request failed')
    return send(reply, status, problem)
  })
  app.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const problem = new AlprError('ALPR_ERR_NOT_FOUND', {
      what: `${request.method} ${request.url.split('?', 1)[0]!.slice(0, 200)}`,
    })
    return send(reply, problem.status, problem)
  })
}

function send(reply: FastifyReply, status: number, problem: AlprError): FastifyReply {
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(problem))
}

function asProblem(error: FastifyError | AlprError): { status: number; problem: AlprError } {
  if (error instanceof AlprError) return { status: error.status, problem: error }
  if (error.validation?.length) {
    const fault = schemaFault(error.validation as SchemaError[])
    const field = [error.validationContext, fault.field].filter(Boolean).join('.')
    const details = { field, reason: faultText({ ...fault, field }) }
    return { status: 400, problem: new AlprError('ALPR_ERR_REQUEST_INVALID', details) }
  }
  // Errors that fastify raises itself: body too large, not JSON, wrong media type.
  const status = error.statusCode ?? 500
  if (status >= 400 && status < 500)
    return { status, problem: new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: error.message }) }
  return { status: 500, problem: new AlprError('ALPR_ERR_INTERNAL') }
}

import { Type } from '@sinclair/typebox'
import { type Api, RFC3339, strict } from '../http/api.js'
import type { Services } from './services.js'
import { problems } from '../http/problem.js'

/** A browser trades the access token for a session cookie here, so that the page does not need to keep the token. */
export function sessionRoutes(api: Api, { authenticator, address }: Services): void {
  api.post(
    '/api/session',
    {
      config: { access: 'open' },
      bodyLimit: 4_096,
      schema: {
        summary: 'Sign in with the access token',
        tags: ['session'],
        security: [],
        body: Type.Object({ token: Type.String({ minLength: 1, maxLength: 512 }) }, strict),
        response: { 204: Type.Null({ description: 'signed in; the cookie is set' }), ...problems(400, 401, 403) },
      },
    },
    async (request, reply) => {
      address.checkOrigin(request.headers)
      const secure = address.needsSecureCookie(request.raw)
      reply.header('set-cookie', authenticator.openSession(request.body.token, secure))
      return reply.code(204).send(null)
    },
  )

  api.get(
    '/api/session',
    {
      schema: {
        summary: 'The current caller, and when the session expires',
        tags: ['session'],
        response: {
          200: Type.Object({ kind: Type.String(), expiresAt: Type.Optional(RFC3339) }, { description: 'signed in' }),
          ...problems(401),
        },
      },
    },
    async ({ caller }) => ({
      kind: caller!.kind,
      ...(Number.isFinite(caller!.expiresAt) && { expiresAt: new Date(caller!.expiresAt).toISOString() }),
    }),
  )

  api.delete(
    '/api/session',
    {
      schema: {
        summary: 'Sign out',
        tags: ['session'],
        response: { 204: Type.Null({ description: 'signed out' }), ...problems(401) },
      },
    },
    async (_, reply) => {
      reply.header('set-cookie', authenticator.closeSession())
      return reply.code(204).send(null)
    },
  )
}

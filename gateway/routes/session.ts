import { Type } from '@sinclair/typebox'
import type { Api, Services } from '../http/api.js'
import { checkOrigin } from '../access/origin.js'
import { problems, RFC3339, strict } from '../http/listing.js'

/** A browser trades the access token for a session cookie here; the token is then no longer needed in the page. */
export function sessionRoutes(api: Api, { authenticator }: Services): void {
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
        response: { 204: Type.Null({ description: 'signed in; the cookie is set' }), ...problems(400, 401) },
      },
    },
    async (request, reply) => {
      checkOrigin(request.headers)
      reply.header('set-cookie', authenticator.openSession(request.body.token, request.protocol === 'https'))
      return reply.code(204).send(null)
    },
  )

  api.get(
    '/api/session',
    {
      schema: {
        summary: 'Who am I, and until when',
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
    async (request, reply) => {
      reply.header('set-cookie', authenticator.closeSession(request.protocol === 'https'))
      return reply.code(204).send(null)
    },
  )
}

import type { FastifyInstance } from 'fastify'
import { isLoopback } from './loopback.js'
import { checkOrigin, type Caller, type Authenticator } from './authenticator.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Why this route needs no caller: `loopback` only from this machine, `open` for everybody. Absent: the door
     * decides.
     */
    access?: 'open' | 'loopback'
  }
  interface FastifyRequest {
    /** Who asks; null on open routes only. */
    caller: Caller | null
  }
}

/** Puts the door before every route, the unknown ones too. A route is open only if its own declaration says so. */
export function guard(app: FastifyInstance, authenticator: Authenticator): void {
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request, reply) => {
    const { access } = request.routeOptions.config
    if (access === 'open') return
    if (access === 'loopback' && isLoopback(request.raw)) return
    if (request.method !== 'GET' && request.method !== 'HEAD') checkOrigin(request.headers)
    request.caller = authenticator.authenticate(request.headers)
    const cookie = authenticator.renew(request.caller, request.protocol === 'https')
    if (cookie) reply.header('set-cookie', cookie)
  })
}

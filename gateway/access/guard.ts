import type { FastifyInstance } from 'fastify'
import type { Authenticator, Caller } from './authenticator.js'
import { isLoopback } from './loopback.js'
import type { PublicAddress } from './public_address.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who needs no authentication here: `loopback` this machine only, `open` everybody. Absent: nobody. */
    access?: 'open' | 'loopback'
  }
  interface FastifyRequest {
    /** The authenticated caller; null on routes that need none. */
    caller: Caller | null
  }
}

/**
 * Authenticates every request, also those that match no route. A route is open only if its own declaration says so.
 */
export function guard(app: FastifyInstance, authenticator: Authenticator, address: PublicAddress): void {
  app.decorateRequest('caller', null)
  app.addHook('onRequest', async (request, reply) => {
    const { access } = request.routeOptions.config
    if (access === 'open') return
    if (access === 'loopback' && isLoopback(request.raw)) return
    if (request.method !== 'GET' && request.method !== 'HEAD') address.checkOrigin(request.headers)
    request.caller = authenticator.authenticate(request.headers, !address.needsSecureCookie(request.raw))
    const cookie = authenticator.renew(request.caller)
    if (cookie) reply.header('set-cookie', cookie)
  })
}

import type { FastifyInstance } from 'fastify'

/** Nothing from elsewhere, no inline script or style, no frames. The WebSocket is of the same origin. */
export const CONTENT_POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** For a worker that runs the recognizer: it may compile WebAssembly of this origin, which no page of ours may. */
export const WASM_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"

const HEADERS = {
  'content-security-policy': CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  // No page of ours may be found by a search engine (ACC-2), no answer kept by a cache unless its route says so.
  'x-robots-tag': 'noindex, nofollow',
  'cache-control': 'no-store',
} as const

/** Security headers on every answer, refusals too. Must stand before the door. */
export function secureHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (_, reply) => {
    reply.headers(HEADERS)
  })
}

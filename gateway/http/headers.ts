import type { FastifyInstance } from 'fastify'

/** Content of this origin only, no inline script or style, no frames. The WebSocket has the same origin. */
export const CONTENT_POLICY = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** For the worker that runs the recognizer: it may compile WebAssembly of this origin, which no page may. */
export const WASM_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'"

const HEADERS = {
  'content-security-policy': CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), payment=(), usb=()',
  // Search engines must not index any page (ACC-2), and caches keep no response unless its route says so.
  'x-robots-tag': 'noindex, nofollow',
  'cache-control': 'no-store',
} as const

/** Browsers that saw it use TLS for this host only, for a year. */
const HSTS = 'max-age=31536000'

/**
 * Sets the security headers of every response. Register it before `guard`, so that refusals carry them too.
 * @param isTls whether browsers reach the gateway by TLS
 */
export function secureHeaders(app: FastifyInstance, isTls: boolean): void {
  const headers = isTls ? { ...HEADERS, 'strict-transport-security': HSTS } : HEADERS
  app.addHook('onRequest', async (_, reply) => {
    reply.headers(headers)
  })
}

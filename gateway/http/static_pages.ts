import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Api } from './api.js'
import { WASM_POLICY } from './headers.js'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.map': 'application/json',
  '.json': 'application/json',
  '.woff2': 'font/woff2',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.psm': 'application/octet-stream',
}

/**
 * Serves the built files of ui-lite: pages, code and style, without any data. Each file is read once at the start and
 * is a route of its own, so the list of open routes is exact and no path leads out of the folder. `index.html` is `/`,
 * `name.html` is `/name`. The recognizer's page needs no sign-in: it queries nothing, and no picture leaves the
 * browser.
 */
export function staticPages(api: Api, folder: string): void {
  if (!existsSync(folder)) {
    api.log.warn({ folder }, 'the console pages are not built; only the API is served')
    return
  }
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    const type = TYPES[extname(name)]
    if (!type) continue
    const body = readFileSync(join(folder, name))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    const path = `/${name.replaceAll('\\', '/').replace(/^index\.html$|\.html$/, '')}`
    const policy = name.endsWith('_worker.js') ? { 'content-security-policy': WASM_POLICY } : {}
    api.get(path, { config: { access: 'open' }, schema: { hide: true } }, async (request, reply) => {
      // Browsers may keep the file but must revalidate it, so that an update shows at once.
      reply.headers(policy).header('cache-control', 'no-cache').header('etag', etag)
      if (request.headers['if-none-match'] === etag) return reply.code(304).send()
      return reply.type(type).send(body)
    })
  }
}

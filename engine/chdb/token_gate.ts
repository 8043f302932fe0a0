import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { StoreException } from './exception.js'

/**
 * Verifies the store's only secret. Clients send it as ClickHouse's password: `Authorization: Basic`, or
 * `X-ClickHouse-User` with `X-ClickHouse-Key`. It is not accepted in the URL, which ends up in logs.
 */
export class TokenGate {
  readonly #digest: Buffer

  constructor(token: string) {
    this.#digest = digestOf(token)
  }

  /** @throws AUTHENTICATION_FAILED (516) */
  verify(request: IncomingMessage): void {
    const { user, password } = credentialsOf(request)
    // Digests have equal length, so the comparison takes the same time for any password.
    const same = timingSafeEqual(digestOf(password), this.#digest)
    if (!same || user !== 'default') {
      throw new StoreException(
        516,
        'AUTHENTICATION_FAILED',
        'Authentication failed: password is incorrect, or there is no user with such name',
      )
    }
  }
}

function credentialsOf(request: IncomingMessage): { user: string; password: string } {
  const header = request.headers.authorization
  if (header?.startsWith('Basic ')) {
    const text = Buffer.from(header.slice(6), 'base64').toString('utf8')
    const colon = text.indexOf(':')
    return colon < 0 ? { user: text, password: '' } : { user: text.slice(0, colon), password: text.slice(colon + 1) }
  }
  return {
    user: first(request.headers['x-clickhouse-user']) || 'default',
    password: first(request.headers['x-clickhouse-key']),
  }
}

const first = (value: string | string[] | undefined): string => (Array.isArray(value) ? value[0] : value) ?? ''
const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()

import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { AlprError } from '../../engine/runtime/mod.js'

/** Who asks. Accounts, roles and the purpose of a look will be told apart here. */
export interface Caller {
  kind: 'token' | 'session'
  /** Wall clock, milliseconds; Infinity for a bearer of the token itself. */
  expiresAt: number
}

/** A session lasts a shift and is renewed by use in its second half. */
const SESSION_MS = 12 * 3_600_000
const VERSION = 'v1'

/**
 * The one place that decides who may pass (ACC-1, ACC-2). Everything that returns data asks `admit`, HTTP and WebSocket
 * alike; accounts, purpose and audit will stand here and nowhere else.
 *
 * There is one key: the access token made at the first start. A browser trades it for a session: a signed cookie that
 * says when it ends. No list of sessions is kept, so a console stays signed in when the gateway restarts, and a new
 * token ends all sessions.
 *
 *     alpr_<8 hex> = v1.<expires, ms>.<nonce>.<HMAC-SHA-256 of the rest, keyed by the token>
 *
 * Fail closed: whatever cannot be checked is refused with ALPR_ERR_AUTH_REQUIRED, without saying why.
 */
export class Authenticator {
  readonly #digest: Buffer
  readonly #key: Buffer
  /** Distinct per token: browsers share cookies among all ports of a host. */
  readonly cookieName: string

  /** @param token at least 32 characters; an empty or short one would open the door */
  constructor(
    token: string,
    private readonly now: () => number = Date.now,
  ) {
    if (token.length < 32)
      throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: 'access token', reason: 'shorter than 32 characters' })
    this.#digest = sha256(token)
    this.#key = createHmac('sha256', token).update('platestream session').digest()
    this.cookieName = `alpr_${sha256(`name ${token}`).toString('hex').slice(0, 8)}`
  }

  /** @throws ALPR_ERR_AUTH_REQUIRED */
  authenticate(headers: IncomingHttpHeaders): Caller {
    const { authorization } = headers
    // A caller that names a credential is judged by it alone; a wrong bearer does not fall back to the cookie.
    if (authorization !== undefined) {
      const [, token] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization) ?? []
      if (token !== undefined && this.#isToken(token)) return { kind: 'token', expiresAt: Infinity }
      throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
    }
    const expiresAt = this.#sessionEnd(cookieOf(headers.cookie, this.cookieName))
    if (expiresAt === undefined) throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
    return { kind: 'session', expiresAt }
  }

  /** Trades the token for a Set-Cookie value. @throws ALPR_ERR_AUTH_REQUIRED */
  openSession(token: string, secure: boolean): string {
    if (!this.#isToken(token)) throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
    return this.#cookie(secure)
  }

  /** A new cookie for a session in its second half; undefined while the old one is good enough. */
  renew(caller: Caller, secure: boolean): string | undefined {
    return caller.kind === 'session' && caller.expiresAt - this.now() < SESSION_MS / 2
      ? this.#cookie(secure)
      : undefined
  }

  /** Ends the session in this browser. */
  closeSession(secure: boolean): string {
    return `${this.cookieName}=; Max-Age=0; ${attributes(secure)}`
  }

  #cookie(secure: boolean): string {
    const body = `${VERSION}.${this.now() + SESSION_MS}.${randomBytes(16).toString('base64url')}`
    return `${this.cookieName}=${body}.${this.#sign(body)}; Max-Age=${SESSION_MS / 1_000}; ${attributes(secure)}`
  }

  #sessionEnd(value: string | undefined): number | undefined {
    if (value === undefined || value.length > 256) return undefined
    const cut = value.lastIndexOf('.')
    const body = value.slice(0, cut)
    if (cut < 0 || !timingSafeEqual(sha256(value.slice(cut + 1)), sha256(this.#sign(body)))) return undefined
    const [version, expires] = body.split('.')
    const expiresAt = Number(expires)
    return version === VERSION && expiresAt > this.now() ? expiresAt : undefined
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url')
  }

  /** Digests are compared, so that neither content nor length shows in the time it takes. */
  #isToken(token: string): boolean {
    return timingSafeEqual(sha256(token), this.#digest)
  }
}

/**
 * A browser says where a page came from; a page of another origin must not speak with our cookie. Programs send no
 * Origin.
 * @throws ALPR_ERR_AUTH_REQUIRED
 */
export function checkOrigin({ origin, host }: IncomingHttpHeaders): void {
  if (origin === undefined) return
  let from: string
  try {
    from = new URL(origin).host
  } catch {
    throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
  }
  if (from !== host) throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
}

function attributes(secure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  const prefix = `${name}=`
  return header
    ?.split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(prefix))
    ?.slice(prefix.length)
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

import { fastifyCookie } from '@fastify/cookie'
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { AlprError, HOUR_MS } from '../../engine/runtime/mod.js'

/** The authenticated sender of a request. Accounts and roles will be part of it. */
export interface Caller {
  kind: 'token' | 'session'
  /** Names the session in access records: no secret, a signature goes with it in the cookie. 'token' for a bearer. */
  session: string
  /** Whether its cookie is for TLS only. */
  isSecure?: boolean
  /** Wall clock, milliseconds; Infinity for a bearer of the token itself. */
  expiresAt: number
}

/** A session lasts one shift; using it in its second half renews it. */
const SESSION_MS = 12 * HOUR_MS
const VERSION = 'v1'

/**
 * The one place that decides who a caller is (ACC-1, ACC-2). Every route and WebSocket that returns data calls
 * `authenticate`.
 *
 * There is one key: the access token, which the first start creates. A browser trades it for a session, a signed cookie
 * that carries its own expiry. The gateway keeps no list of sessions, so a console stays signed in when the gateway
 * restarts, and a new token ends all sessions.
 *
 *     alpr_<8 hex> = v1.<expires, ms>.<nonce>.<HMAC-SHA-256 of the rest, keyed by the token>
 *
 * Where browsers use TLS, the cookie is `__Host-alpr_<8 hex>` with `Secure`: no other host, and no plain connection,
 * can set or receive it.
 *
 * It fails closed: a credential that cannot be verified is refused with ALPR_ERR_AUTH_REQUIRED, without a reason.
 */
export class Authenticator {
  readonly #digest: Buffer
  readonly #key: Buffer
  /** Distinct per token, because browsers share cookies among all ports of a host. */
  readonly #cookieName: string

  /**
   * @param token at least 32 characters, so that an empty setting never grants access
   * @throws ALPR_ERR_SETTINGS_INVALID for a shorter token
   */
  constructor(
    token: string,
    private readonly now: () => number = Date.now,
  ) {
    if (token.length < 32)
      throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: 'access token', reason: 'shorter than 32 characters' })
    this.#digest = sha256(token)
    this.#key = createHmac('sha256', token).update('platestream session').digest()
    this.#cookieName = `alpr_${sha256(`name ${token}`).toString('hex').slice(0, 8)}`
  }

  /**
   * Authenticates an HTTP request or a WebSocket upgrade by its headers.
   * @param acceptsPlain whether a cookie that is not for TLS only counts
   * @throws ALPR_ERR_AUTH_REQUIRED
   */
  authenticate({ authorization, cookie }: IncomingHttpHeaders, acceptsPlain = true): Caller {
    // An explicit credential decides alone: a wrong bearer does not fall back to the cookie.
    if (authorization !== undefined) {
      const [, token] = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization) ?? []
      if (token !== undefined && this.#isToken(token)) return { kind: 'token', session: 'token', expiresAt: Infinity }
      throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
    }
    const cookies = fastifyCookie.parse(cookie ?? '')
    for (const isSecure of acceptsPlain ? [true, false] : [true]) {
      const session = this.#sessionOf(cookies[this.#nameOf(isSecure)])
      if (session) return { kind: 'session', isSecure, ...session }
    }
    throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
  }

  /** Trades the token for a Set-Cookie value. @throws ALPR_ERR_AUTH_REQUIRED */
  openSession(token: string, secure: boolean): string {
    if (!this.#isToken(token)) throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
    return this.#newSession(secure)
  }

  /** A Set-Cookie value for a session in its second half; undefined while the present cookie lasts long enough. */
  renew(caller: Caller): string | undefined {
    return caller.kind === 'session' && caller.expiresAt - this.now() < SESSION_MS / 2
      ? this.#newSession(caller.isSecure === true, caller.session)
      : undefined
  }

  /** Set-Cookie values that end the session in this browser. */
  closeSession(): string[] {
    return [true, false].map((secure) => this.#setCookie('', 0, secure))
  }

  /** @param session name of the session that is renewed; default: a new one */
  #newSession(secure: boolean, session = randomBytes(16).toString('base64url')): string {
    const body = `${VERSION}.${this.now() + SESSION_MS}.${session}`
    return this.#setCookie(`${body}.${this.#sign(body)}`, SESSION_MS / 1_000, secure)
  }

  /** @param maxAge seconds */
  #setCookie(value: string, maxAge: number, secure: boolean): string {
    return fastifyCookie.serialize(this.#nameOf(secure), value, {
      maxAge,
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure,
    })
  }

  #nameOf(secure: boolean): string {
    return secure ? `__Host-${this.#cookieName}` : this.#cookieName
  }

  #sessionOf(value: string | undefined): Pick<Caller, 'session' | 'expiresAt'> | undefined {
    if (value === undefined || value.length > 256) return undefined
    const cut = value.lastIndexOf('.')
    const body = value.slice(0, cut)
    if (cut < 0 || !timingSafeEqual(sha256(value.slice(cut + 1)), sha256(this.#sign(body)))) return undefined
    const [version, expires, nonce = ''] = body.split('.')
    const expiresAt = Number(expires)
    return version === VERSION && expiresAt > this.now() ? { session: nonce, expiresAt } : undefined
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#key).update(body).digest('base64url')
  }

  /** Compares digests, so that the time taken reveals neither content nor length. */
  #isToken(token: string): boolean {
    return timingSafeEqual(sha256(token), this.#digest)
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()

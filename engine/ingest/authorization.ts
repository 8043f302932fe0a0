import { createHash, randomBytes } from 'node:crypto'

/** User and password of a camera. */
export interface Login {
  user: string
  password: string
}

interface Challenge {
  scheme: 'basic' | 'digest'
  values: Record<string, string>
}

const HASHES: Record<string, string> = { md5: 'md5', 'sha-256': 'sha256', 'sha-512-256': 'sha512-256' }

/**
 * Answers the challenges of a camera, over HTTP and RTSP alike: Digest (MD5, SHA-256, with and without `qop`), else
 * Basic. Nothing is sent before the camera asks.
 */
export class Authorization {
  readonly #login: Login | undefined
  #challenge: Challenge | undefined
  #uses = 0

  constructor(login: Login | undefined) {
    this.#login = login
  }

  /**
   * Takes the challenges of an answer 401.
   * @param headers the values of `WWW-Authenticate`
   * @returns why another attempt is pointless; undefined when it is not
   */
  challenged(headers: readonly string[]): string | undefined {
    const challenges = headers.flatMap(parseChallenges)
    const next = bestOf(challenges)
    if (!this.#login) return 'it asks for a user and a password'
    if (!next) return 'it asks for a kind of sign-in that is not known; Digest and Basic are'
    const isStale = /^true$/i.test(next.values.stale ?? '')
    const isAnswered = this.#challenge !== undefined && this.#uses > 0
    if (isAnswered && !isStale && next.scheme === this.#challenge?.scheme && this.#refusedOnce(next))
      return 'it refuses the user or the password'
    this.#challenge = next
    this.#uses = 0
    return undefined
  }

  /** The value of `Authorization` for a request; undefined while the camera has not asked. */
  header(method: string, uri: string): string | undefined {
    if (!this.#challenge || !this.#login) return undefined
    this.#uses++
    const { user, password } = this.#login
    if (this.#challenge.scheme === 'basic') return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
    return digest(this.#challenge.values, this.#login, method, uri, this.#uses)
  }

  /** A camera whose nonce has a short life sends a new one without saying `stale`; with the same one it refuses. */
  #refusedOnce({ scheme, values }: Challenge): boolean {
    return scheme === 'basic' || this.#uses === 1 || values.nonce === this.#challenge?.values.nonce
  }
}

function digest(values: Record<string, string>, login: Login, method: string, uri: string, count: number): string {
  const { realm = '', nonce = '', opaque, qop, algorithm } = values
  const name = (algorithm ?? 'MD5').toLowerCase()
  const isSession = name.endsWith('-sess')
  const hash = (text: string) =>
    createHash(HASHES[name.replace(/-sess$/, '')] ?? 'md5')
      .update(text)
      .digest('hex')
  const cnonce = randomBytes(8).toString('hex')
  const nc = count.toString(16).padStart(8, '0')
  const once = hash(`${login.user}:${realm}:${login.password}`)
  const first = isSession ? hash(`${once}:${nonce}:${cnonce}`) : once
  const second = hash(`${method}:${uri}`)
  const withQop = qop?.split(',').some((one) => one.trim().toLowerCase() === 'auth') ?? false
  const response = withQop
    ? hash(`${first}:${nonce}:${nc}:${cnonce}:auth:${second}`)
    : hash(`${first}:${nonce}:${second}`)
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
  return [
    `Digest username=${quoted(login.user)}, realm=${quoted(realm)}, nonce=${quoted(nonce)}, uri=${quoted(uri)}`,
    `response="${response}"`,
    ...(algorithm === undefined ? [] : [`algorithm=${algorithm}`]),
    ...(opaque === undefined ? [] : [`opaque=${quoted(opaque)}`]),
    ...(withQop ? [`qop=auth, nc=${nc}, cnonce="${cnonce}"`] : isSession ? [`cnonce="${cnonce}"`] : []),
  ].join(', ')
}

/** The strongest challenge that can be answered. */
function bestOf(challenges: readonly Challenge[]): Challenge | undefined {
  const rank = ({ scheme, values }: Challenge): number => {
    if (scheme === 'basic') return 1
    const name = (values.algorithm ?? 'md5').toLowerCase().replace(/-sess$/, '')
    return name in HASHES ? (name === 'md5' ? 2 : 3) : 0
  }
  return challenges.filter((one) => rank(one) > 0).sort((a, b) => rank(b) - rank(a))[0]
}

/** One header may hold several challenges: `Digest realm="a", nonce="b", Basic realm="a"`. */
function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  const token = /\s*,?\s*(?:(basic|digest)(?=\s|$)|([a-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))/giy
  for (let match: RegExpExecArray | null; (match = token.exec(header)); ) {
    const [, scheme, name, quoted, plain] = match
    if (scheme) challenges.push({ scheme: scheme.toLowerCase() as Challenge['scheme'], values: {} })
    else {
      const last = challenges.at(-1)
      if (last && name) last.values[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
    }
  }
  return challenges
}

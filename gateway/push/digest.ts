import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { PUSH_REALM, type PushCredential } from '../../engine/runtime/mod.js'

/** A nonce is good for this long, ms; then the client is asked to use another one. */
const kNonceMs = 300_000

/**
 * HTTP digest (RFC 7616, with MD5: what cameras know). Nonces carry their time and a signature, so that each of several
 * gateways knows those of the others and none keeps a list.
 */
export class Digest {
  private readonly key: Buffer

  /** @param token the secret that all gateways of the installation share */
  constructor(
    token: string,
    private readonly now: () => number = Date.now,
  ) {
    this.key = createHmac('sha256', token).update('platestream push nonce').digest()
  }

  /** The value of WWW-Authenticate. @param stale the credentials were right, the nonce was old */
  challenge(stale = false): string {
    const time = this.now().toString(36)
    const nonce = `${time}.${this.sign(time)}`
    return `Digest realm="${PUSH_REALM}", qop="auth", nonce="${nonce}", algorithm=MD5${stale ? ', stale=true' : ''}`
  }

  /** The user name of an Authorization header of this kind; undefined for any other. */
  userOf(authorization: string): string | undefined {
    return fieldsOf(authorization)?.username
  }

  /** Whether a header was computed with the secret of a camera for this request. */
  check(authorization: string, credential: PushCredential, method: string, url: string): 'right' | 'wrong' | 'stale' {
    const {
      realm,
      nonce = '',
      uri = '',
      response = '',
      qop,
      nc = '',
      cnonce = '',
      algorithm = 'MD5',
    } = fieldsOf(authorization) ?? {}
    const secret = realm === '' ? credential.digestEmptyRealm : credential.digest
    if ((realm !== '' && realm !== PUSH_REALM) || !/^MD5$/i.test(algorithm) || !isSameTarget(uri, url)) return 'wrong'
    const [time = '', signature = ''] = nonce.split('.')
    if (!equal(signature, this.sign(time))) return 'wrong'
    const request = md5(`${method}:${uri}`)
    const expected =
      qop === undefined
        ? md5(`${secret}:${nonce}:${request}`)
        : md5(`${secret}:${nonce}:${nc}:${cnonce}:${qop}:${request}`)
    if ((qop !== undefined && qop !== 'auth') || !equal(response.toLowerCase(), expected)) return 'wrong'
    const age = this.now() - Number.parseInt(time, 36)
    return age >= -kNonceMs && age <= kNonceMs ? 'right' : 'stale'
  }

  private sign(time: string): string {
    return createHmac('sha256', this.key).update(time).digest('hex').slice(0, 32)
  }
}

/** The fields of a digest header, names in lower case. */
function fieldsOf(authorization: string): Record<string, string | undefined> | undefined {
  if (!/^digest /i.test(authorization) || authorization.length > 4_096) return undefined
  const fields: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [, name, quoted, plain] of authorization.slice(7).matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))/g))
    fields[name!.toLowerCase()] = quoted ?? plain ?? ''
  return fields
}

/** Some clients leave the query out, some write the whole address. */
function isSameTarget(uri: string, url: string): boolean {
  const path = uri.replace(/^https?:\/\/[^/]*/i, '')
  return path === url || path === url.split('?')[0]
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

/** Compares hashes, so that the time taken reveals nothing. */
export function equal(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}

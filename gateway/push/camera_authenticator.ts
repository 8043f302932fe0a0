import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Camera, CameraPush, PushCredentialKind } from '../../engine/mod.js'
import { newPushSecret, type PushCredential, type PushCredentials } from '../../engine/runtime/mod.js'
import { Addresses } from './addresses.js'
import { Digest, equal } from './digest.js'

export type PushingCamera = Camera & { push: CameraPush }

export type Verdict =
  | { camera: PushingCamera; path: string }
  /** `claimed`: the registered camera that it said it was, for the counts only. */
  | { camera?: undefined; challenge: string; claimed: string }

interface Claim {
  camera: string
  by: PushCredentialKind
  /** The secret, or for digest the header. */
  proof: string
}

/** In place of the credential of an unknown camera: the comparison takes as long. */
const NOBODY = newPushSecret('nobody').credential

/**
 * Decides which camera a request comes from. The camera is in the path, or it is the user name of digest and basic:
 *
 *     /push/<camera>/<secret>[/...]      path
 *     /push/<camera>[/...]               bearer, basic, digest, certificate
 *     /...                               basic, digest: for cameras whose path cannot be changed
 *
 * What is not right is refused without a reason: nobody learns which cameras exist.
 */
export class CameraAuthenticator {
  private readonly digest: Digest
  private readonly ranges = new WeakMap<CameraPush, Addresses>()

  constructor(
    token: string,
    private readonly find: (id: string) => Camera | undefined,
    private readonly credentials: Pick<PushCredentials, 'of'>,
  ) {
    this.digest = new Digest(token)
  }

  /** @param address that the request came from, behind proxies that are trusted */
  authenticate(request: IncomingMessage, address: string): Verdict {
    const url = request.url ?? '/'
    const [, root = '', id = '', ...rest] = url.split('?')[0]!.split('/')
    const named = root === 'push' ? id : ''
    const claims = claimsOf(request, named, rest[0], this.digest)
    const claimed = claims[0]?.camera ?? named
    const known = this.find(claimed)
    const refused = (stale = false): Verdict => ({
      challenge: this.digest.challenge(stale),
      claimed: known?.push ? claimed : '',
    })
    let isStale = false
    let accepted: Claim | undefined
    for (const claim of claims) {
      const { push } = this.find(claim.camera) ?? {}
      const verdict = this.check(claim, this.credentials.of(claim.camera) ?? NOBODY, request)
      // After the comparison: an unknown camera takes as long as a known one.
      if (!push?.credentials.includes(claim.by) || !this.isFrom(push, address)) continue
      if (claim.by === 'certificate' && push.credentials.length > 1) continue
      if (verdict === 'stale') isStale = true
      if (verdict !== 'right' || !hasCertificate(push, claim.camera, request)) continue
      accepted = claim
    }
    if (!accepted) return refused(isStale)
    const camera = this.find(accepted.camera) as PushingCamera
    const left = root !== 'push' ? [root, id, ...rest] : accepted.by === 'path' ? rest.slice(1) : rest
    return { camera, path: `/${left.join('/')}` }
  }

  private check(
    { by, proof }: Claim,
    { secret, ...credential }: PushCredential,
    request: IncomingMessage,
  ): 'right' | 'wrong' | 'stale' {
    if (by === 'digest')
      return this.digest.check(proof, { secret, ...credential }, request.method ?? '', request.url ?? '')
    // The certificate itself is checked for each way in.
    if (by === 'certificate') return 'right'
    return equal(createHash('sha256').update(proof).digest('hex'), secret) ? 'right' : 'wrong'
  }

  private isFrom(push: CameraPush, address: string): boolean {
    if (!push.addresses) return true
    let ranges = this.ranges.get(push)
    if (!ranges) this.ranges.set(push, (ranges = new Addresses(push.addresses)))
    return ranges.has(address)
  }
}

/** What a request says about who it is. */
function claimsOf(request: IncomingMessage, named: string, second: string | undefined, digest: Digest): Claim[] {
  const { authorization = '' } = request.headers
  const claims: Claim[] = []
  const [, scheme = '', value = ''] = /^(\w+) +(.{1,4096})$/.exec(authorization) ?? []
  if (/^bearer$/i.test(scheme) && named) claims.push({ camera: named, by: 'bearer', proof: value.trim() })
  if (/^basic$/i.test(scheme)) {
    const [user = '', ...password] = Buffer.from(value, 'base64').toString('utf8').split(':')
    if (!named || user === named) claims.push({ camera: user, by: 'basic', proof: password.join(':') })
  }
  const user = digest.userOf(authorization)
  if (user !== undefined && (!named || user === named))
    claims.push({ camera: user, by: 'digest', proof: authorization })
  if (named && second) claims.push({ camera: named, by: 'path', proof: second })
  if (named) claims.push({ camera: named, by: 'certificate', proof: '' })
  return claims
}

/** Whether a camera that needs a client certificate has shown its own. */
function hasCertificate(push: CameraPush, camera: string, { socket }: IncomingMessage): boolean {
  if (!push.credentials.includes('certificate')) return true
  if (!(socket instanceof TLSSocket) || !socket.authorized) return false
  const { subject, fingerprint256 = '' } = socket.getPeerCertificate()
  if (push.certificate) return equal(fingerprint256.replaceAll(':', '').toLowerCase(), push.certificate)
  return equal(String(subject?.CN ?? ''), camera)
}

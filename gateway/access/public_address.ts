import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import type { Settings } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'
import { isLoopback, isLoopbackAddress } from './loopback.js'

/** What decides how browsers reach the gateway: settings `gateway.*`. */
export type AddressSettings = Pick<Settings['gateway'], 'host' | 'publicUrl' | 'tls' | 'insecure'>

/**
 * How browsers reach the gateway: directly, or through a proxy that ends TLS at `gateway.publicUrl`. It decides which
 * pages may use the session, and whether its cookie is for TLS only.
 */
export class PublicAddress {
  /** `https://alpr.example.org`; undefined without `gateway.publicUrl`. */
  readonly origin: string | undefined
  /** Whether browsers reach the gateway by TLS only, but for those on its own machine. */
  readonly isSecure: boolean

  /** @throws ALPR_ERR_SETTINGS_INVALID for a `publicUrl` that is no http or https address, or has more than a path */
  constructor({ publicUrl, tls }: AddressSettings) {
    this.origin = publicUrl ? originOf(publicUrl) : undefined
    this.isSecure = tls.cert !== '' || this.origin?.startsWith('https:') === true
  }

  /**
   * Refuses a request that a page of another origin makes: such a page must not use the session cookie. Browsers send
   * `Origin`, programs do not.
   * @throws ALPR_ERR_ORIGIN_REFUSED
   */
  checkOrigin({ origin, host }: IncomingHttpHeaders): void {
    if (origin === undefined || origin === this.origin || isSameHost(origin, host)) return
    throw new AlprError('ALPR_ERR_ORIGIN_REFUSED', { origin: origin.slice(0, 300), host: (host ?? '').slice(0, 300) })
  }

  /** Whether the session of this request has a cookie for TLS only. */
  needsSecureCookie(request: IncomingMessage): boolean {
    if (request.socket instanceof TLSSocket) return true
    return this.isSecure && (request.headers.origin === this.origin || !isLoopback(request))
  }
}

/**
 * Refuses to listen beyond this machine where plates and sessions would cross the network as plain text.
 * @throws ALPR_ERR_SETTINGS_INVALID
 */
export function refusePlainText({ host, publicUrl, tls, insecure }: AddressSettings): void {
  if (isLoopbackAddress(host) || tls.cert || insecure || publicUrl.startsWith('https:')) return
  throw new AlprError('ALPR_ERR_SETTINGS_INVALID', {
    key: 'gateway.host',
    reason:
      `the gateway does not listen on ${host} without TLS: set gateway.tls.key and gateway.tls.cert, or set ` +
      'gateway.publicUrl to the https address of a proxy in front, or set gateway.insecure to true where nobody can ' +
      'listen to the network, as in a container',
  })
}

function originOf(publicUrl: string): string {
  const invalid = (reason: string) => new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: 'gateway.publicUrl', reason })
  let url: URL
  try {
    url = new URL(publicUrl)
  } catch {
    throw invalid('must be an address such as https://alpr.example.org')
  }
  if (!/^https?:$/.test(url.protocol)) throw invalid('must begin with https:// or http://')
  if (url.username || url.password || url.search || url.hash) throw invalid('must have a host and a path, nothing else')
  return url.origin
}

/** Compares with the port of the scheme left out: some proxies add it to Host. */
function isSameHost(origin: string, host: string | undefined): boolean {
  try {
    const page = new URL(origin)
    return host !== undefined && page.host === new URL(`${page.protocol}//${host}`).host
  } catch {
    return false
  }
}

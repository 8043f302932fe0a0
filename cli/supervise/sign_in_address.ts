import type { Settings } from '../../engine/mod.js'
import type { Secrets } from '../../engine/runtime/mod.js'

/**
 * Where a browser opens the console: the public address, or what the gateway listens on.
 * @param url of the gateway; an address that stands for all addresses of the machine becomes loopback
 */
export function consoleAddress(settings: Settings, url: string): string {
  const { publicUrl } = settings.gateway
  const address = new URL(publicUrl || url.replace('//0.0.0.0', '//127.0.0.1').replace('//[::]', '//[::1]'))
  if (!address.pathname.endsWith('/')) address.pathname += '/'
  return address.href
}

/** The address that signs a browser in. It holds the token: for a terminal, never for a log. */
export const signInAddress = (settings: Settings, url: string, { console }: Secrets): string =>
  `${consoleAddress(settings, url)}?token=${console}`

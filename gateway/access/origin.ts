import type { IncomingHttpHeaders } from 'node:http'
import { AlprError } from '../../engine/runtime/mod.js'

/**
 * Refuses a request that a page of another origin makes: such a page must not use the session cookie. Browsers send
 * `Origin`, programs do not.
 * @throws ALPR_ERR_AUTH_REQUIRED
 */
export function checkOrigin({ origin, host }: IncomingHttpHeaders): void {
  if (origin === undefined) return
  if (hostOf(origin) !== host) throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
}

function hostOf(origin: string): string {
  try {
    return new URL(origin).host
  } catch {
    throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
  }
}

import { NOT_STATED, type Access } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'
import type { Caller } from './authenticator.js'

/**
 * The access of an authenticated caller. Until there are accounts, everybody who holds the access token is one service
 * identity; sessions tell its browsers apart.
 * @throws ALPR_ERR_AUTH_REQUIRED without a caller: a route with plate data was declared open
 */
export function accessOf(caller: Caller | null, purpose?: string): Access {
  if (caller === null) throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
  return { who: 'service', purpose: purpose?.trim() || NOT_STATED, session: caller.session }
}

import { AlprError } from '../errors.js'
import type { RowPlace } from '../store/queries.js'

/** Opaque to clients. */
export const cursorOf = ({ time, id }: RowPlace): string => Buffer.from(`${time} ${id}`).toString('base64url')

/**
 * @param id what the ids of this list look like
 * @throws ALPR_ERR_REQUEST_INVALID for a text that is no cursor of such a list
 */
export function parseCursor(text: string, id: RegExp): RowPlace {
  const [, time, of] = /^(-?\d{1,15}) ([\x21-\x7e]{1,150})$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
  if (time === undefined || of === undefined || !id.test(of))
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: 'querystring.before is not the `next` of a page' })
  return { time: Number(time), id: of }
}

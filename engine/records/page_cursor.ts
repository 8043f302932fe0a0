import { AlprError } from '../errors.js'
import type { RowPlace } from '../store/queries.js'

/**
 * The end of a page of a list: time and id of its last row. Opaque to clients. Unlike the cursor of a question
 * (`canvass/cursor.ts`) it names no query: a list with another filter continues from the same time.
 */
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

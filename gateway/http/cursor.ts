import { AlprError } from '../../engine/runtime/mod.js'

/** One page of a list, newest first. */
export interface Page<T> {
  items: T[]
  /** Pass it as `before` to get the next page; absent on the last one. */
  next?: string
}

/** A position in a list that is ordered by time and, within a millisecond, by id. */
export interface Cursor {
  /** Event time, milliseconds. */
  time: number
  id: string
}

/** The text of a cursor, opaque to clients. */
export const cursorOf = ({ time, id }: Cursor): string => Buffer.from(`${time} ${id}`).toString('base64url')

/** @throws ALPR_ERR_REQUEST_INVALID for a text that `cursorOf` did not make */
export function parseCursor(text: string): Cursor {
  const [, time, id] = /^(-?\d{1,15}) ([\x21-\x7e]{1,150})$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
  if (time === undefined || id === undefined)
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: 'querystring.before is not the `next` of a page' })
  return { time: Number(time), id }
}

/** Whether `a` is older than `b`. Ids that consist of digits compare as numbers, which is the order of the store. */
export function isBefore(a: Cursor, b: Cursor): boolean {
  if (a.time !== b.time) return a.time < b.time
  if (/^\d+$/.test(a.id) && /^\d+$/.test(b.id)) return BigInt(a.id) < BigInt(b.id)
  return a.id < b.id
}

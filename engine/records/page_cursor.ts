import { AlprError } from '../errors.js'

/** A place in a list that is ordered by time and, within a millisecond, by id. */
export interface Cursor {
  /** Event time, milliseconds. */
  time: number
  id: string
}

/** Opaque to clients. */
export const cursorOf = ({ time, id }: Cursor): string => Buffer.from(`${time} ${id}`).toString('base64url')

/** @throws ALPR_ERR_REQUEST_INVALID for a text that is no cursor of ours */
export function parseCursor(text: string): Cursor {
  const [, time, id] = /^(-?\d{1,15}) ([\x21-\x7e]{1,150})$/.exec(Buffer.from(text, 'base64url').toString()) ?? []
  if (time === undefined || id === undefined)
    throw new AlprError('ALPR_ERR_REQUEST_INVALID', { reason: 'querystring.before is not the `next` of a page' })
  return { time: Number(time), id }
}

/** Whether `a` comes after `b` in a list of newest first. Ids of digits are numbers, as the store orders them. */
export function isBefore(a: Cursor, b: Cursor): boolean {
  if (a.time !== b.time) return a.time < b.time
  if (/^\d+$/.test(a.id) && /^\d+$/.test(b.id)) return BigInt(a.id) < BigInt(b.id)
  return a.id < b.id
}

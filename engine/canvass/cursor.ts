import { createHash } from 'node:crypto'
import { AlprError } from '../errors.js'

/** Identifies a question regardless of the page: a cursor continues only the question that it came from. */
export function fingerprintOf(kind: string, input: object): string {
  const text = JSON.stringify(input, (name, value: unknown) => (PAGE_FIELDS.has(name) ? undefined : value))
  return createHash('sha256').update(`${kind} ${text}`).digest('base64url').slice(0, 12)
}

/** Fields that may differ between the pages of a question. */
const PAGE_FIELDS = new Set(['cursor', 'limit', 'explain'])

/**
 * The end of a page of a question: the key of its last row, which differs from question to question, and the question
 * itself. (Lists of stored rows have the shorter `records/page_cursor.ts`: one key, and any filter may follow.)
 * All answers are ordered so that later reads come after it (or before the
 * first page), never in between.
 */
export const cursorText = (fingerprint: string, key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify([fingerprint, ...key])).toString('base64url')

/** @throws ALPR_ERR_CURSOR_FOREIGN for the cursor of another question, or a text that is not a cursor */
export function cursorPlace(text: string, fingerprint: string): (string | number)[] {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    parts = undefined
  }
  const fine =
    Array.isArray(parts) &&
    parts.length >= 2 &&
    parts.length <= 8 &&
    parts[0] === fingerprint &&
    parts
      .slice(1)
      .every(
        (one) => (typeof one === 'string' && one.length <= 200) || (typeof one === 'number' && Number.isFinite(one)),
      )
  if (!fine) throw new AlprError('ALPR_ERR_CURSOR_FOREIGN')
  return (parts as (string | number)[]).slice(1)
}

import { createHash } from 'node:crypto'
import { AlprError } from '../errors.js'

/** Names a question without its place: the same cursor goes on only where it came from. */
export const fingerprintOf = (kind: string, input: object): string =>
  createHash('sha256')
    .update(
      `${kind} ${JSON.stringify(input, (name, held: unknown) => (name === 'cursor' || name === 'limit' || name === 'explain' ? undefined : held))}`,
    )
    .digest('base64url')
    .slice(0, 12)

/**
 * Where a page ended: the key of its last row. All orders are such that what is read meanwhile comes after it (or
 * before the first page), never in between.
 */
export const cursorText = (fingerprint: string, key: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify([fingerprint, ...key])).toString('base64url')

/** @throws ALPR_ERR_CURSOR_FOREIGN for one of another question, or a text that is none */
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

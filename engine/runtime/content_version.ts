import { createHash } from 'node:crypto'

/**
 * Names content by its bytes: the first 16 hex digits of their SHA-256. The same bytes give the same version, no matter
 * how they are cut into pieces; text counts as UTF-8.
 */
export function contentVersion(pieces: Iterable<string | Uint8Array>): string {
  const hash = createHash('sha256')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex').slice(0, 16)
}

/**
 * A message of detections with the camera's own pictures. A line of text says how long its pieces are:
 *
 *     PSD1 <bytes of JSON> <bytes of picture 0> <bytes of picture 1> ...\n
 *     <JSON><picture 0><picture 1> ...
 *
 * JSON never begins with a P, so that a message without pictures stays what it was.
 */

/** Most pictures of a message. */
export const MAX_PICTURES = 8
const MAGIC = 'PSD1 '
const LF = 10
const MAX_LINE = 128

/** @param pictures JPEGs, at most 8 @throws RangeError when there are more */
export function packPictures(json: string, pictures: readonly Uint8Array[]): Buffer {
  if (pictures.length > MAX_PICTURES) throw new RangeError(`${pictures.length} pictures, ${MAX_PICTURES} are allowed`)
  const text = Buffer.from(json)
  const lengths = [text, ...pictures].map(({ length }) => length)
  return Buffer.concat([Buffer.from(`${MAGIC}${lengths.join(' ')}\n`), text, ...pictures])
}

/**
 * The pieces of a message; they share its memory.
 * @returns undefined when it has no such line, `broken` when the lengths do not add up to its length
 */
export function unpackPictures(
  payload: Uint8Array,
): { json: Uint8Array; pictures: readonly Uint8Array[] } | 'broken' | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined
  const end = bytes.subarray(0, MAX_LINE).indexOf(LF)
  const line = bytes.toString('latin1', MAGIC.length, Math.max(0, end))
  if (end < 0 || !/^\d{1,9}( \d{1,9})*$/.test(line)) return 'broken'
  const lengths = line.split(' ').map(Number)
  if (lengths.length > 1 + MAX_PICTURES || lengths.reduce((sum, n) => sum + n, end + 1) !== payload.length)
    return 'broken'
  let at = end + 1
  const [json, ...pictures] = lengths.map((length) => payload.subarray(at, (at += length)))
  return { json: json!, pictures }
}

/** Whether a message has pictures behind its JSON. */
export const hasPictures = (payload: Uint8Array): boolean => {
  const unpacked = unpackPictures(payload)
  return unpacked !== undefined && unpacked !== 'broken' && unpacked.pictures.length > 0
}

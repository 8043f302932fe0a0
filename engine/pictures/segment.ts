import { DAY_MS } from '../model/time.js'
import { crc32 } from 'node:zlib'

/**
 * Pictures are records of append-only segment files, one for each week and engine instance,
 * `2026-W47-<instance>.crops`.
 *
 *     +------+--------+-------+------------------+
 *     | PSC1 | length | crc32 | JPEG             |   numbers: 32 bits, little endian; length and crc32 are of the JPEG
 *     +------+--------+-------+------------------+
 *     0      4        8       12
 *
 * A `CropRef` names a whole record. A record that a kill leaves incomplete at the end of a file has no reference to it
 * and stays there.
 */
const MAGIC = Buffer.from('PSC1')
export const HEADER_BYTES = 12
/** Limit of one picture, bytes. */
export const MAX_JPEG_BYTES = 16_777_216
/** Name of a segment file. */
export const SEGMENT = /^\d{4}-W\d{2}-[a-zA-Z0-9._-]{1,64}\.crops$/

export function encodeRecord(jpeg: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(HEADER_BYTES + jpeg.length)
  MAGIC.copy(record)
  record.writeUInt32LE(jpeg.length, 4)
  record.writeUInt32LE(crc32(jpeg), 8)
  record.set(jpeg, HEADER_BYTES)
  return record
}

/** The JPEG of a record, a view into it; undefined when any of its bytes is wrong. */
export function decodeRecord(record: Buffer): Buffer | undefined {
  const jpeg = record.subarray(HEADER_BYTES)
  const valid =
    record.subarray(0, 4).equals(MAGIC) &&
    record.readUInt32LE(4) === jpeg.length &&
    record.readUInt32LE(8) === crc32(jpeg)
  return valid ? jpeg : undefined
}

/**
 * The ISO 8601 week of a time in UTC, `2026-W47`. Weeks begin on Monday, like the partitions of table `reads`.
 * @param ts ms since 1970 UTC
 */
export function isoWeek(ts: number): string {
  const day = Math.floor(ts / DAY_MS)
  // 1970-01-01 was a Thursday; a week belongs to the year of its Thursday.
  const thursday = day - ((((day + 3) % 7) + 7) % 7) + 3
  const year = new Date(thursday * DAY_MS).getUTCFullYear()
  const week = Math.floor((thursday - Date.UTC(year, 0, 1) / DAY_MS) / 7) + 1
  return `${String(year).padStart(4, '0')}-W${String(week).padStart(2, '0')}`
}

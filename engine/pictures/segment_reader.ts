import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { AlprError } from '../errors.js'
import type { CropRef } from '../model/read.js'
import { decodeRecord, HEADER_BYTES, MAX_JPEG_BYTES, SEGMENT } from './segment.js'

/** Reads pictures of all writers of a folder. Keeps no file open. */
export class SegmentReader {
  constructor(private readonly folder: string) {}

  /**
   * @returns the JPEG
   * @throws ALPR_ERR_CROP_CORRUPT when the record is not what was written
   * @throws ALPR_ERR_NOT_FOUND when the picture was purged or the segment does not exist
   */
  async read({ segment, offset, length }: CropRef): Promise<Buffer> {
    const corrupt = () => new AlprError('ALPR_ERR_CROP_CORRUPT', { segment, offset })
    const missing = () => new AlprError('ALPR_ERR_NOT_FOUND', { what: 'the picture' })
    if (!SEGMENT.test(segment)) throw missing()
    if (!isRange(offset, length)) throw corrupt()
    const file = await open(join(this.folder, segment), 'r').catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? missing() : error
    })
    try {
      const record = Buffer.allocUnsafe(length)
      const { bytesRead } = await file.read(record, 0, length, offset)
      // A purge overwrites the record with zeros.
      if (bytesRead === length && record.every((byte) => byte === 0)) throw missing()
      const jpeg = bytesRead === length ? decodeRecord(record) : undefined
      if (!jpeg) throw corrupt()
      return jpeg
    } finally {
      await file.close()
    }
  }
}

function isRange(offset: number, length: number): boolean {
  return (
    Number.isSafeInteger(offset) &&
    offset >= 0 &&
    Number.isInteger(length) &&
    length > HEADER_BYTES &&
    length <= HEADER_BYTES + MAX_JPEG_BYTES
  )
}

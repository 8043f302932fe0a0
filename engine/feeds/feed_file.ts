import { open, type FileHandle } from 'node:fs/promises'
import type { IReadable } from '@mcap/core'
import { AlprError, reasonOf } from '../errors.js'

/**
 * A record that claims more bytes is damage, not data: memory stays bounded. Our chunks are at most 16 MiB (one frame)
 * over their bound of 1 MiB; those of other programs may be larger.
 */
export const MAX_RECORD_BYTES = 268_435_456

/** The first bytes of every MCAP file. */
export const MCAP_MAGIC = Buffer.from([0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a])

export const notAFeed = (file: string, reason: string): AlprError =>
  new AlprError('ALPR_ERR_FEED_INVALID', { file, reason })

/** Opens a feed for reading. @throws ALPR_ERR_FEED_INVALID when the file cannot be opened */
export async function openFeed(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'r')
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new AlprError(
      'ALPR_ERR_FEED_INVALID',
      { file, reason: missing ? 'there is no such file' : reasonOf(error) },
      { cause: error },
    )
  }
}

/** A file as the MCAP reader wants it: random access by offset. */
export class ReadableFile implements IReadable {
  readonly #handle: FileHandle
  readonly #bytes: number

  constructor(handle: FileHandle, bytes: number) {
    this.#handle = handle
    this.#bytes = bytes
  }

  async size(): Promise<bigint> {
    return BigInt(this.#bytes)
  }

  async read(offset: bigint, size: bigint): Promise<Uint8Array> {
    if (size > MAX_RECORD_BYTES) throw new Error(`a record of ${size} bytes`)
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(Number(size)), 0, Number(size), Number(offset))
    if (bytesRead < Number(size)) throw new Error('the file ends too early')
    return buffer
  }
}

import { open, type FileHandle } from 'node:fs/promises'
import { McapWriter, type IWritable } from '@mcap/core'
import { AlprError, reasonOf } from '../errors.js'
import type { Camera } from '../model/camera.js'
import { CAMERA_METADATA, FEED_PROFILE, framesTopic, headersTopic, toNanos, type FeedFrame } from './feed_format.js'

/** Bytes of a chunk of frames. A process that is killed loses at most the chunk that it was filling. */
const CHUNK_BYTES = 1_048_576

/** Writes a feed (layout: feed_format.ts). One call at a time; each resolves when the kernel has the bytes. */
export class FeedWriter {
  readonly file: string
  readonly #sink: FileSink
  readonly #mcap: McapWriter
  readonly #channels = new Map<string, number>()
  readonly #cameras = new Set<string>()
  #frames = 0

  private constructor(file: string, sink: FileSink) {
    this.file = file
    this.#sink = sink
    this.#mcap = new McapWriter({ writable: sink, chunkSize: CHUNK_BYTES })
  }

  /** @throws ALPR_ERR_FEED_INVALID when the file cannot be created, or exists and `replace` is not set */
  static async create(file: string, options: { replace?: boolean } = {}): Promise<FeedWriter> {
    let handle: FileHandle
    try {
      handle = await open(file, options.replace ? 'w' : 'wx')
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code === 'EEXIST' ? 'the file exists already' : reasonOf(error)
      throw new AlprError('ALPR_ERR_FEED_INVALID', { file, reason }, { cause: error })
    }
    const writer = new FeedWriter(file, new FileSink(handle))
    await writer.#mcap.start({ profile: FEED_PROFILE, library: 'platestream' })
    return writer
  }

  get frames(): number {
    return this.#frames
  }

  /** Bytes written, without the chunk that is being filled. */
  get bytes(): number {
    return Number(this.#sink.position())
  }

  /** Adds the record of a camera to the feed; a second record of the same camera is ignored. */
  async addCamera(camera: Camera): Promise<void> {
    if (this.#cameras.has(camera.id)) return
    this.#cameras.add(camera.id)
    await this.#mcap.addMetadata({ name: CAMERA_METADATA, metadata: new Map([['record', JSON.stringify(camera)]]) })
  }

  async addFrame(frame: FeedFrame): Promise<void> {
    const sequence = this.#frames++
    const logTime = toNanos(frame.capturedAt)
    const publishTime = toNanos(frame.recordedAt ?? frame.capturedAt)
    if (Object.keys(frame.headers).length > 0) {
      const channelId = await this.#channel(headersTopic(frame.camera), 'json')
      await this.#mcap.addMessage({
        channelId,
        sequence,
        logTime,
        publishTime,
        data: Buffer.from(JSON.stringify(frame.headers)),
      })
    }
    const channelId = await this.#channel(framesTopic(frame.camera), 'jpeg')
    await this.#mcap.addMessage({ channelId, sequence, logTime, publishTime, data: frame.jpeg })
  }

  /** @param time ms since 1970 UTC; a time that does not depend on the clock gives the same file each time */
  async addAttachment(name: string, mediaType: string, data: Uint8Array, time = Date.now()): Promise<void> {
    const now = toNanos(time)
    await this.#mcap.addAttachment({ name, mediaType, data, logTime: now, createTime: now })
  }

  /** Writes the index and closes the file. A feed without an index counts as cut off. */
  async close(): Promise<void> {
    try {
      await this.#mcap.end()
    } finally {
      await this.#sink.close()
    }
  }

  async #channel(topic: string, messageEncoding: string): Promise<number> {
    const known = this.#channels.get(topic)
    if (known !== undefined) return known
    const id = await this.#mcap.registerChannel({ topic, messageEncoding, schemaId: 0, metadata: new Map() })
    this.#channels.set(topic, id)
    return id
  }
}

class FileSink implements IWritable {
  readonly #handle: FileHandle
  #position = 0n

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(buffer: Uint8Array): Promise<void> {
    // A write may be short. The MCAP writer reuses the buffer as soon as this call resolves.
    for (let at = 0; at < buffer.byteLength; ) at += (await this.#handle.write(buffer, at)).bytesWritten
    this.#position += BigInt(buffer.byteLength)
  }

  position(): bigint {
    return this.#position
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { McapIndexedReader, McapStreamReader, type IReadable, type McapTypes } from '@mcap/core'
import { AlprError, reasonOf } from '../errors.js'
import { parseCamera, type Camera } from '../model/camera.js'
import { CAMERA_METADATA, parseTopic, toMillis, type FeedInfo, type NumberedFrame } from './feed_format.js'

/** What a reader says when it cannot go on in good order. */
export interface FeedLog {
  warn(fields: object, message: string): void
}

/** Read from the file at once, in bytes. */
const kReadBytes = 1_048_576

/**
 * A record that claims more is damage, not data: memory stays bounded. A chunk is one frame of at most 16 MiB over its
 * bound of 1 MiB; tools of others use larger ones.
 */
const kMaxRecordBytes = 268_435_456

/** Headers that wait for their frame; they stand directly before it, so more than a few is damage. */
const kMaxWaitingHeaders = 1_000

/**
 * What a feed holds, from its index: fast whatever its size. A cut-off feed has no index and is read through once
 * instead.
 * @throws ALPR_ERR_FEED_INVALID when it is not a feed
 */
export async function inspectFeed(file: string, log?: FeedLog): Promise<FeedInfo> {
  const handle = await openFile(file)
  try {
    const bytes = (await handle.stat()).size
    const id = await contentId(handle, bytes)
    let reader: McapIndexedReader
    try {
      reader = await McapIndexedReader.Initialize({ readable: new FileSource(handle, bytes) })
    } catch (error) {
      if (bytes >= kMagic.length && !(await startsLikeMcap(handle))) throw notAFeed(file, 'not an MCAP file')
      return { ...(await scan(file, log)), bytes, id }
    }
    const frames = new Map<string, number>()
    for (const channel of reader.channelsById.values()) {
      const topic = parseTopic(channel.topic)
      if (topic?.kind === 'frames')
        frames.set(topic.camera, Number(reader.statistics?.channelMessageCounts.get(channel.id) ?? 0n))
    }
    const cameras: Camera[] = []
    for await (const metadata of reader.readMetadata({ name: CAMERA_METADATA }))
      takeCamera(cameras, metadata, file, log)
    const total = [...frames.values()].reduce((a, b) => a + b, 0)
    if (total === 0 && (reader.statistics?.messageCount ?? 0n) > 0n) {
      throw notAFeed(file, 'it has no channel frames.<camera>; docs/feeds.md says how a feed is laid out')
    }
    const { messageStartTime = 0n, messageEndTime = 0n } = reader.statistics ?? {}
    return {
      file,
      bytes,
      id,
      cameras,
      frames,
      total,
      start: toMillis(messageStartTime),
      end: toMillis(messageEndTime),
      cutOff: false,
    }
  } finally {
    await handle.close()
  }
}

/**
 * The frames of a feed in the order of the file, with bounded memory. A feed that is cut off or damaged is read up to
 * there, with a warning; its frames so far are good (each chunk has a checksum).
 * @throws ALPR_ERR_FEED_INVALID when it is not a feed at all
 */
export async function* readFrames(file: string, log?: FeedLog): AsyncGenerator<NumberedFrame, void, void> {
  const channels = new Map<number, { kind: 'frames' | 'headers'; camera: string }>()
  const waiting = new Map<string, Record<string, string>>()
  let index = 0
  for await (const record of readRecords(file, log)) {
    if (record.type === 'Channel') {
      const topic = parseTopic(record.topic)
      if (topic) channels.set(record.id, topic)
    } else if (record.type === 'Message') {
      const channel = channels.get(record.channelId)
      if (!channel) continue
      const key = `${channel.camera}/${record.sequence}`
      if (channel.kind === 'headers') {
        if (waiting.size >= kMaxWaitingHeaders) waiting.clear()
        waiting.set(key, parseHeaders(record.data))
        continue
      }
      const headers = waiting.get(key) ?? {}
      waiting.delete(key)
      yield {
        index: index++,
        camera: channel.camera,
        capturedAt: toMillis(record.logTime),
        recordedAt: toMillis(record.publishTime),
        headers,
        jpeg: record.data,
      }
    }
  }
}

/** A file kept with the feed, by name, or undefined. Needs the index. */
export async function readAttachment(file: string, name: string): Promise<Uint8Array | undefined> {
  const handle = await openFile(file)
  try {
    const reader = await McapIndexedReader.Initialize({ readable: new FileSource(handle, (await handle.stat()).size) })
    for await (const attachment of reader.readAttachments({ name })) return attachment.data
    return undefined
  } catch (error) {
    throw notAFeed(file, reasonOf(error))
  } finally {
    await handle.close()
  }
}

async function* readRecords(file: string, log?: FeedLog): AsyncGenerator<McapTypes.TypedMcapRecord, void, void> {
  const handle = await openFile(file)
  const mcap = new McapStreamReader()
  let position = 0
  let any = false
  try {
    for (;;) {
      // A fresh buffer for each read: records point into what they were parsed from.
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(kReadBytes), 0, kReadBytes, position)
      if (bytesRead === 0) break
      position += bytesRead
      try {
        mcap.append(buffer.subarray(0, bytesRead))
        if (mcap.bytesRemaining() > kMaxRecordBytes) throw new Error('a record claims to be larger than 256 MiB')
        for (let record; (record = mcap.nextRecord()); ) {
          any = true
          yield record
        }
      } catch (error) {
        if (error instanceof AlprError) throw error
        const reason = reasonOf(error)
        if (!any) throw notAFeed(file, /magic/i.test(reason) ? 'not an MCAP file' : reason)
        if (/compression/i.test(reason))
          throw notAFeed(file, `${reason}; write it anew without compression: mcap compress --compression none`)
        log?.warn({ file, position, reason }, 'the feed is damaged; it ends here')
        return
      }
      if (mcap.done()) return
    }
    if (!any) throw notAFeed(file, position === 0 ? 'the file is empty' : 'not an MCAP file')
    log?.warn({ file, position }, 'the feed is cut off; it ends here')
  } finally {
    await handle.close()
  }
}

/** What the index would say, by reading everything. */
async function scan(file: string, log?: FeedLog): Promise<Omit<FeedInfo, 'bytes' | 'id'>> {
  const cameras: Camera[] = []
  const names = new Map<number, string>()
  const frames = new Map<string, number>()
  let total = 0
  let start = Infinity
  let end = -Infinity
  for await (const record of readRecords(file, log)) {
    if (record.type === 'Metadata' && record.name === CAMERA_METADATA) takeCamera(cameras, record, file, log)
    if (record.type === 'Channel') {
      const topic = parseTopic(record.topic)
      if (topic?.kind === 'frames') names.set(record.id, topic.camera)
    }
    const camera = record.type === 'Message' ? names.get(record.channelId) : undefined
    if (record.type !== 'Message' || camera === undefined) continue
    total++
    frames.set(camera, (frames.get(camera) ?? 0) + 1)
    start = Math.min(start, toMillis(record.logTime))
    end = Math.max(end, toMillis(record.logTime))
  }
  return { file, cameras, frames, total, start: total ? start : 0, end: total ? end : 0, cutOff: true }
}

function takeCamera(cameras: Camera[], { metadata }: McapTypes.Metadata, file: string, log?: FeedLog): void {
  try {
    cameras.push(parseCamera(JSON.parse(metadata.get('record') ?? '')))
  } catch (error) {
    log?.warn({ file, reason: reasonOf(error) }, 'the feed has a camera record that is not valid; ignored')
  }
}

/** Headers that are not a flat object of texts are damage of one frame; it goes on without them. */
function parseHeaders(data: Uint8Array): Record<string, string> {
  try {
    const value = JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>
    return Object.fromEntries(Object.entries(value).filter((e): e is [string, string] => typeof e[1] === 'string'))
  } catch {
    return {}
  }
}

const kMagic = Buffer.from([0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a])

async function startsLikeMcap(handle: FileHandle): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(kMagic.length), 0, kMagic.length, 0)
  return buffer.equals(kMagic)
}

/**
 * From the size, the first and the last 64 KiB: the last hold the index and the checksum over all data, so the whole
 * content counts.
 */
async function contentId(handle: FileHandle, bytes: number): Promise<string> {
  const hash = createHash('sha256').update(String(bytes))
  const part = 65_536
  for (const at of new Set([0, Math.max(0, bytes - part)])) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(part), 0, part, at)
    hash.update(buffer.subarray(0, bytesRead))
  }
  return hash.digest('hex').slice(0, 16)
}

async function openFile(file: string): Promise<FileHandle> {
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

const notAFeed = (file: string, reason: string) => new AlprError('ALPR_ERR_FEED_INVALID', { file, reason })

class FileSource implements IReadable {
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
    if (size > kMaxRecordBytes) throw new Error(`a record of ${size} bytes`)
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(Number(size)), 0, Number(size), Number(offset))
    if (bytesRead < Number(size)) throw new Error('the file ends too early')
    return buffer
  }
}

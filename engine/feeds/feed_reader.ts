import type { FileHandle } from 'node:fs/promises'
import { McapStreamReader, type McapTypes } from '@mcap/core'
import { AlprError, reasonOf } from '../errors.js'
import { decompressors } from './decompress.js'
import { MAX_RECORD_BYTES, notAFeed, openFeed } from './feed_file.js'
import { parseTopic, toMillis, type FeedLog, type NumberedFrame } from './feed_format.js'

/** Bytes of one read from the file. */
const READ_BYTES = 1_048_576

/** Headers that wait for their frame. They directly precede it, so more than a few are damage. */
const MAX_WAITING_HEADERS = 1_000

/**
 * The frames of a feed in file order, with bounded memory. A feed that is cut off or damaged is read up to there, with
 * a warning; the frames before are intact (each chunk has a checksum).
 * @throws ALPR_ERR_FEED_INVALID when it is not a feed
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
        if (waiting.size >= MAX_WAITING_HEADERS) waiting.clear()
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

/**
 * The MCAP records of a feed in file order. Ends with a warning where the file is cut off or damaged.
 * @throws ALPR_ERR_FEED_INVALID when it is not a feed
 */
export async function* readRecords(file: string, log?: FeedLog): AsyncGenerator<McapTypes.TypedMcapRecord, void, void> {
  const handle = await openFeed(file)
  const mcap = new McapStreamReader({ decompressHandlers: await decompressors() })
  let position = 0
  let any = false
  try {
    for (;;) {
      // A new buffer for each read: records are views into the buffer they were parsed from.
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(READ_BYTES), 0, READ_BYTES, position)
      if (bytesRead === 0) break
      position += bytesRead
      try {
        mcap.append(buffer.subarray(0, bytesRead))
        if (mcap.bytesRemaining() > MAX_RECORD_BYTES) throw new Error('a record claims to be larger than 256 MiB')
        for (let record = mcap.nextRecord(); record; record = mcap.nextRecord()) {
          any = true
          yield record
          if (record.type === 'Footer') return await lookBehind(handle, file, position, log)
        }
      } catch (error) {
        if (error instanceof AlprError) throw error
        const reason = reasonOf(error)
        // The library refuses a file that goes on behind its end, which it has read by then.
        const behind = /(\d+) bytes remaining after MCAP footer/.exec(reason)?.[1]
        if (behind !== undefined) {
          yield { type: 'Footer', summaryStart: 0n, summaryOffsetStart: 0n, summaryCrc: 0 }
          return await lookBehind(handle, file, position - Number(behind), log)
        }
        if (!any) throw notAFeed(file, /magic/i.test(reason) ? 'not an MCAP file' : reason)
        if (/unsupported compression/i.test(reason))
          throw notAFeed(file, `${reason}; rewrite it without compression: mcap compress --compression none`)
        log?.warn({ file, position, reason: reasonOf(error) }, 'the feed is damaged; reading stops here')
        return
      }
      if (mcap.done()) return
    }
    if (!any) throw notAFeed(file, position === 0 ? 'the file is empty' : 'not an MCAP file')
    log?.warn({ file, position }, 'the feed is cut off; what is before the cut is read')
    yield* cutChunk(handle, position - mcap.bytesRemaining(), mcap.bytesRemaining())
  } finally {
    await handle.close()
  }
}

/** Bytes of the record that begins a chunk: opcode and length. */
const RECORD_HEAD_BYTES = 9
const CHUNK = 0x06
/** Start and end time, size and checksum: 28 bytes before the name of the compression. */
const CHUNK_HEAD_BYTES = 28

/**
 * The records of the chunk in which a file ends, as far as they are whole. A compressed one gives none. Nothing of it
 * is checked, because the checksum is over the whole chunk.
 */
async function* cutChunk(
  handle: FileHandle,
  at: number,
  length: number,
): AsyncGenerator<McapTypes.TypedMcapRecord, void, void> {
  if (length < RECORD_HEAD_BYTES + CHUNK_HEAD_BYTES + 12) return
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at)
  const bytes = buffer.subarray(0, bytesRead)
  const nameLength = bytes.readUInt32LE(RECORD_HEAD_BYTES + CHUNK_HEAD_BYTES)
  if (bytes[0] !== CHUNK || nameLength !== 0) return
  const inner = new McapStreamReader({ noMagicPrefix: true })
  inner.append(bytes.subarray(RECORD_HEAD_BYTES + CHUNK_HEAD_BYTES + 4 + 8))
  try {
    for (let record = inner.nextRecord(); record; record = inner.nextRecord()) yield record
  } catch {
    /* the rest cannot be read */
  }
}

/** Says when a file goes on behind its end: two feeds that were joined are not one. A line feed does no harm. */
async function lookBehind(handle: FileHandle, file: string, from: number, log?: FeedLog): Promise<void> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, from)
  if (buffer.subarray(0, bytesRead).toString('latin1').trim() === '') return
  const more = (await handle.stat()).size - from
  log?.warn({ file, position: from }, `the feed goes on behind its end; its last ${more} bytes are left out`)
}

/** Headers that are not a flat object of strings are damage of one frame, which is read without them. */
function parseHeaders(data: Uint8Array): Record<string, string> {
  try {
    const value = JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>
    return Object.fromEntries(Object.entries(value).filter((e): e is [string, string] => typeof e[1] === 'string'))
  } catch {
    return {}
  }
}

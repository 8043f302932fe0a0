import { McapStreamReader, type McapTypes } from '@mcap/core'
import { AlprError, reasonOf } from '../errors.js'
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
  const mcap = new McapStreamReader()
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
        }
      } catch (error) {
        if (error instanceof AlprError) throw error
        const reason = reasonOf(error)
        if (!any) throw notAFeed(file, /magic/i.test(reason) ? 'not an MCAP file' : reason)
        if (/compression/i.test(reason))
          throw notAFeed(file, `${reason}; rewrite it without compression: mcap compress --compression none`)
        log?.warn({ file, position, reason }, 'the feed is damaged; reading stops here')
        return
      }
      if (mcap.done()) return
    }
    if (!any) throw notAFeed(file, position === 0 ? 'the file is empty' : 'not an MCAP file')
    log?.warn({ file, position }, 'the feed is cut off; reading stops here')
  } finally {
    await handle.close()
  }
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

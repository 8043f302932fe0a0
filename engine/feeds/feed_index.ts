import type { FileHandle } from 'node:fs/promises'
import { McapIndexedReader, type McapTypes } from '@mcap/core'
import { reasonOf } from '../errors.js'
import { parseCamera, type Camera } from '../model/camera.js'
import { contentVersion } from '../runtime/content_version.js'
import { MCAP_MAGIC, notAFeed, openFeed, ReadableFile } from './feed_file.js'
import { CAMERA_METADATA, parseTopic, toMillis, type FeedInfo, type FeedLog } from './feed_format.js'
import { readRecords } from './feed_reader.js'

/**
 * Describes a feed from its index, in a time that does not depend on its size. A cut-off feed has no index and is read
 * through once instead.
 * @throws ALPR_ERR_FEED_INVALID when it is not a feed
 */
export async function inspectFeed(file: string, log?: FeedLog): Promise<FeedInfo> {
  const handle = await openFeed(file)
  try {
    const bytes = (await handle.stat()).size
    const id = await contentId(handle, bytes)
    let reader: McapIndexedReader
    try {
      reader = await McapIndexedReader.Initialize({ readable: new ReadableFile(handle, bytes) })
    } catch {
      if (bytes >= MCAP_MAGIC.length && !(await startsLikeMcap(handle))) throw notAFeed(file, 'not an MCAP file')
      return { ...(await scan(file, log)), bytes, id }
    }
    if (!isWholeIndex(reader)) return { ...(await scan(file, log)), bytes, id }
    return { ...(await readIndex(reader, file, log)), bytes, id }
  } finally {
    await handle.close()
  }
}

/**
 * Whether the index names everything that the file has. Statistics, channels in the summary and the index of metadata
 * are optional parts of an MCAP file.
 */
function isWholeIndex({ statistics, channelsById, metadataIndexes }: McapIndexedReader): boolean {
  return (
    statistics !== undefined &&
    channelsById.size >= statistics.channelCount &&
    metadataIndexes.length >= statistics.metadataCount
  )
}

/** A file kept with the feed, by name; undefined when there is none. */
export async function readAttachment(file: string, name: string): Promise<Uint8Array | undefined> {
  const handle = await openFeed(file)
  try {
    const readable = new ReadableFile(handle, (await handle.stat()).size)
    const reader = await McapIndexedReader.Initialize({ readable }).catch(() => undefined)
    for await (const attachment of reader?.readAttachments({ name }) ?? []) return attachment.data
    if (reader?.statistics && reader.attachmentIndexes.length >= reader.statistics.attachmentCount) return undefined
    for await (const record of readRecords(file))
      if (record.type === 'Attachment' && record.name === name) return record.data
    return undefined
  } catch (error) {
    throw notAFeed(file, reasonOf(error))
  } finally {
    await handle.close()
  }
}

type Content = Omit<FeedInfo, 'bytes' | 'id'>

async function readIndex(reader: McapIndexedReader, file: string, log?: FeedLog): Promise<Content> {
  const frames = new Map<string, number>()
  for (const channel of reader.channelsById.values()) {
    const topic = parseTopic(channel.topic)
    if (topic?.kind === 'frames')
      frames.set(topic.camera, Number(reader.statistics?.channelMessageCounts.get(channel.id) ?? 0n))
  }
  const cameras: Camera[] = []
  for await (const metadata of reader.readMetadata({ name: CAMERA_METADATA })) addCamera(cameras, metadata, file, log)
  const total = [...frames.values()].reduce((a, b) => a + b, 0)
  const { messageCount = 0n, messageStartTime = 0n, messageEndTime = 0n } = reader.statistics ?? {}
  if (total === 0 && messageCount > 0n) throw withoutFrames(file)
  const [start, end] = [toMillis(messageStartTime), toMillis(messageEndTime)]
  return { file, cameras, frames, total, start, end, cutOff: false }
}

const withoutFrames = (file: string) =>
  notAFeed(file, 'it has no channel frames.<camera>; docs/feeds.md describes the layout of a feed')

/** The same content as a whole index has, by reading everything. */
async function scan(file: string, log?: FeedLog): Promise<Content> {
  const cameras: Camera[] = []
  const cameraOfChannel = new Map<number, string>()
  const frames = new Map<string, number>()
  let total = 0
  let start = Infinity
  let end = -Infinity
  let messages = 0
  let isWhole = false
  for await (const record of readRecords(file, log)) {
    if (record.type === 'Footer') isWhole = true
    if (record.type === 'Message') messages++
    if (record.type === 'Metadata' && record.name === CAMERA_METADATA) addCamera(cameras, record, file, log)
    if (record.type === 'Channel') {
      const topic = parseTopic(record.topic)
      if (topic?.kind === 'frames') cameraOfChannel.set(record.id, topic.camera)
    }
    const camera = record.type === 'Message' ? cameraOfChannel.get(record.channelId) : undefined
    if (record.type !== 'Message' || camera === undefined) continue
    total++
    frames.set(camera, (frames.get(camera) ?? 0) + 1)
    start = Math.min(start, toMillis(record.logTime))
    end = Math.max(end, toMillis(record.logTime))
  }
  if (total === 0 && messages > 0) throw withoutFrames(file)
  return { file, cameras, frames, total, start: total ? start : 0, end: total ? end : 0, cutOff: !isWhole }
}

function addCamera(cameras: Camera[], { metadata }: McapTypes.Metadata, file: string, log?: FeedLog): void {
  try {
    cameras.push(parseCamera(JSON.parse(metadata.get('record') ?? '')))
  } catch (error) {
    log?.warn({ file, reason: reasonOf(error) }, 'ignored a camera record of the feed that is not valid')
  }
}

async function startsLikeMcap(handle: FileHandle): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(MCAP_MAGIC.length), 0, MCAP_MAGIC.length, 0)
  return buffer.equals(MCAP_MAGIC)
}

/**
 * A content id from the size and the first and last 64 KiB. The last bytes hold the index and the checksum over all
 * data, so any change of the content changes the id.
 */
async function contentId(handle: FileHandle, bytes: number): Promise<string> {
  const pieces: (string | Uint8Array)[] = [String(bytes)]
  const length = 65_536
  for (const at of new Set([0, Math.max(0, bytes - length)])) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at)
    pieces.push(buffer.subarray(0, bytesRead))
  }
  return contentVersion(pieces)
}

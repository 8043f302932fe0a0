import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { compress as zstd, isLoaded } from '@foxglove/wasm-zstd'
import { McapWriter } from '@mcap/core'
import { inspectFeed, readAttachment } from '../../../engine/feeds/feed_index.js'
import { readFrames } from '../../../engine/feeds/feed_reader.js'
import { frame, makeFeed, START } from './small_feed.js'

type WriterOptions = Partial<ConstructorParameters<typeof McapWriter>[0]>

const CAMERA = { id: 'gate', name: 'Gate', kind: 'fixed', lat: 38, lon: -121, agency: '' }

/** A feed as another writer makes it: four frames of one camera. */
async function feedOf(t: Test, options: WriterOptions): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-mcap-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const pieces: Buffer[] = []
  let length = 0
  const writable = {
    write: async (bytes: Uint8Array) => {
      pieces.push(Buffer.from(bytes))
      length += bytes.length
    },
    position: () => BigInt(length),
  }
  const writer = new McapWriter({ writable, ...options })
  await writer.start({ profile: '', library: 'test' })
  await writer.addMetadata({ name: 'camera', metadata: new Map([['record', JSON.stringify(CAMERA)]]) })
  await writer.addAttachment({
    name: 'truth.jsonl',
    logTime: 0n,
    createTime: 0n,
    mediaType: 'text/plain',
    data: Buffer.from('truth'),
  })
  const channelId = await writer.registerChannel({
    schemaId: 0,
    topic: 'frames.gate',
    messageEncoding: 'jpeg',
    metadata: new Map(),
  })
  for (let i = 0; i < 4; i++) {
    const at = BigInt(START + i * 100) * 1_000_000n
    const message = { channelId, sequence: i, logTime: at, publishTime: at, data: Buffer.alloc(2_000, i) }
    await writer.addMessage(message)
  }
  await writer.end()
  const file = join(folder, 'feed.mcap')
  writeFileSync(file, Buffer.concat(pieces))
  return file
}

const framesIn = async (file: string, warnings: string[] = []) => {
  const first: number[] = []
  for await (const { jpeg } of readFrames(file, { warn: (_, text) => warnings.push(text) })) first.push(jpeg[0]!)
  return first
}

t.test('a feed without optional parts, or with compressed chunks, is read whole', async (t) => {
  await isLoaded
  const none = {
    useStatistics: false,
    useSummaryOffsets: false,
    repeatChannels: false,
    repeatSchemas: false,
    useChunkIndex: false,
    useMessageIndex: false,
    useMetadataIndex: false,
    useAttachmentIndex: false,
  }
  const variants: Record<string, WriterOptions> = {
    plain: {},
    ...Object.fromEntries(Object.entries(none).map(([name, value]) => [name, { [name]: value }])),
    'none of them': none,
    'none of them, without chunks': { ...none, useChunks: false },
    zstd: { compressChunk: (bytes) => ({ compression: 'zstd', compressedData: zstd(bytes) }) },
    'zstd without statistics': {
      ...none,
      compressChunk: (bytes) => ({ compression: 'zstd', compressedData: zstd(bytes) }),
    },
    lz4: { compressChunk: (bytes) => ({ compression: 'lz4', compressedData: lz4Stored(bytes) }) },
  }
  for (const [name, options] of Object.entries(variants)) {
    const file = await feedOf(t, options)
    t.match(
      await inspectFeed(file),
      { cameras: [{ id: 'gate' }], total: 4, start: START, end: START + 300, cutOff: false },
      name,
    )
    t.same(await framesIn(file), [0, 1, 2, 3], name)
    t.equal(Buffer.from((await readAttachment(file, 'truth.jsonl')) ?? []).toString(), 'truth', name)
    t.equal(await readAttachment(file, 'other'), undefined)
  }
})

t.test('a compressed chunk that is damaged, or of an unknown compression, is refused by what it is', async (t) => {
  for (const compression of ['lz4', 'zstd']) {
    const warnings: string[] = []
    const compressChunk = () => ({ compression, compressedData: new Uint8Array([1, 2, 3]) })
    t.same(await framesIn(await feedOf(t, { compressChunk }), warnings), [])
    t.match(warnings, [/the feed is damaged; reading stops here/], compression)
  }
  const unknown = await feedOf(t, { compressChunk: (bytes) => ({ compression: 'snappy', compressedData: bytes }) })
  await t.rejects(framesIn(unknown), { message: /snappy.*mcap compress --compression none/ })
})

t.test('a feed that is cut off is read up to the cut, also within a chunk', async (t) => {
  const whole = await feedOf(t, {})
  const bytes = readFileSync(whole)
  const second = bytes.indexOf(Buffer.alloc(2_000, 2))
  const cut = `${whole}.cut.mcap`
  writeFileSync(cut, bytes.subarray(0, second))
  const warnings: string[] = []
  t.same(await framesIn(cut, warnings), [0, 1])
  t.same(warnings, ['the feed is cut off; what is before the cut is read'])
  t.match(await inspectFeed(cut), { total: 2, cutOff: true })
  for (let at = 200; at < bytes.length; at += 97) {
    writeFileSync(cut, bytes.subarray(0, at))
    const found = await framesIn(cut)
    if (found.some((first, i) => first !== i)) t.fail(`cut at ${at}: ${found.join()}`)
  }
})

t.test('a line feed behind the end does no harm; a second feed behind it is not passed over in silence', async (t) => {
  const file = await makeFeed(t, 'whole.mcap', [frame(0), frame(1)])
  const bytes = readFileSync(file)
  for (const [more, said] of [
    [Buffer.from('\n'), []],
    [bytes, [`the feed goes on behind its end; its last ${bytes.length} bytes are left out`]],
  ] as const) {
    writeFileSync(file, Buffer.concat([bytes, more]))
    const warnings: string[] = []
    t.same(await framesIn(file, warnings), [0, 1])
    t.same(warnings, said)
    t.match(await inspectFeed(file), { total: 2, cutOff: false })
  }
})

/** An LZ4 frame that stores its content in one block, uncompressed. */
function lz4Stored(bytes: Uint8Array): Uint8Array {
  // Version 1, independent blocks of up to 4 MiB; the last byte is the checksum of the two before it.
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0x73])
  const size = Buffer.alloc(4)
  size.writeUInt32LE((bytes.length | 0x80000000) >>> 0)
  return Buffer.concat([head, size, bytes, Buffer.alloc(4)])
}

/**
 * Writes pictures of a video for ffmpeg, each with a number of its own as its time: a Matroska file without an end, one
 * cluster for each picture.
 *
 *     EBML | Segment (no size) | Info | Tracks | Cluster { Timestamp, SimpleBlock } | Cluster ...
 */
export const CODEC_IDS = { H264: 'V_MPEG4/ISO/AVC', H265: 'V_MPEGH/ISO/HEVC' } as const

const UNKNOWN_SIZE = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])

/** What precedes the first picture. */
export function matroskaHeader(codec: keyof typeof CODEC_IDS): Buffer {
  return Buffer.concat([
    element('1a45dfa3', [
      element('4286', number(1)),
      element('42f7', number(1)),
      element('42f2', number(4)),
      element('42f3', number(8)),
      element('4282', Buffer.from('matroska')),
      element('4287', number(4)),
      element('4285', number(2)),
    ]),
    Buffer.from('18538067', 'hex'),
    UNKNOWN_SIZE,
    element('1549a966', [
      element('2ad7b1', number(1_000_000)),
      element('4d80', Buffer.from('platestream')),
      element('5741', Buffer.from('platestream')),
    ]),
    element('1654ae6b', [
      element('ae', [
        element('d7', number(1)),
        element('73c5', number(1)),
        element('83', number(1)),
        element('86', Buffer.from(CODEC_IDS[codec])),
        // The decoder finds the true size.
        element('e0', [element('b0', number(16)), element('ba', number(16))]),
      ]),
    ]),
  ])
}

/** @param time 0 to 2^48 */
export function matroskaPicture(data: Buffer, time: number, isKey: boolean): Buffer {
  const block = Buffer.from([0x81, 0, 0, isKey ? 0x80 : 0])
  return element('1f43b675', [element('e7', number(time)), element('a3', [block, data])])
}

function element(id: string, body: Buffer | Buffer[]): Buffer {
  const parts = Array.isArray(body) ? body : [body]
  const size = parts.reduce((sum, { length }) => sum + length, 0)
  const length = Buffer.alloc(8)
  length.writeUIntBE(size, 2, 6)
  length[0] = 0x01
  return Buffer.concat([Buffer.from(id, 'hex'), length, ...parts])
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(value, 0, 6)
  return bytes
}

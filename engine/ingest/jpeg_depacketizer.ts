import { MOST_PICTURE_BYTES, type Assembled, type Depacketizer, type RtpPacket } from './access_unit.js'

/** Tables K.1 and K.2 of the JPEG standard in zigzag order, quality 50. */
// biome-ignore format: a table
const LUMA_TABLE = [
  16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
  60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121,
  112, 100, 120, 92, 101, 103, 99,
]
// biome-ignore format: a table
const CHROMA_TABLE = [
  17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99,
]

/** The Huffman tables of the standard (K.3 to K.6): class and number, how many codes of each length, values. */
const HUFFMAN: readonly (readonly [id: number, lengths: string, values: string])[] = [
  [0x00, '00010501010101010100000000000000', '000102030405060708090a0b'],
  [
    0x10,
    '0002010303020403050504040000017d',
    '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a34353637' +
      '38393a434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3' +
      'a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa',
  ],
  [0x01, '00030101010101010101010000000000', '000102030405060708090a0b'],
  [
    0x11,
    '00020102040403040705040400010277',
    '0001020311040521310612415107617113223281081442' +
      '91a1b1c109233352f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465' +
      '666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6' +
      'c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa',
  ],
]

/** Puts JPEGs together (RFC 2435). The packets hold no tables and no sizes of segments: they are made here. */
export class JpegDepacketizer implements Depacketizer {
  #timestamp: number | undefined
  #pieces: Buffer[] = []
  #bytes = 0
  #isDamaged = false
  #header: Buffer | undefined
  /** Quantization tables by their number: those of 128 to 254 may come with the first picture only. */
  readonly #tables = new Map<number, Buffer>()

  push(packet: RtpPacket, isAfterLoss: boolean): Assembled[] {
    const { timestamp, isLast } = packet
    if (timestamp !== this.#timestamp) this.#begin(timestamp)
    if (isAfterLoss) this.#isDamaged = true
    this.#take(packet.payload)
    if (!isLast) return []
    const { length } = this.#pieces
    const data = this.#header && Buffer.concat([this.#header, ...this.#pieces, Buffer.from([0xff, 0xd9])])
    const isDamaged = this.#isDamaged
    this.#begin(undefined)
    if (!data || length === 0) return []
    return [{ timestamp, data, isKey: true, isDisposable: true, isDamaged }]
  }

  #begin(timestamp: number | undefined): void {
    this.#timestamp = timestamp
    this.#pieces = []
    this.#bytes = 0
    this.#isDamaged = false
    this.#header = undefined
  }

  #take(payload: Buffer): void {
    if (payload.length < 9) return this.#damage()
    const offset = payload.readUIntBE(1, 3)
    const type = payload[4]!
    const quality = payload[5]!
    let at = 8
    let restart = 0
    if (type >= 64 && type < 128) {
      if (payload.length < 12) return this.#damage()
      restart = payload.readUInt16BE(8)
      at = 12
    }
    if (offset === 0) {
      let tables = this.#tables.get(quality)
      if (quality >= 128) {
        const length = payload.length < at + 4 ? 0 : payload.readUInt16BE(at + 2)
        if (payload.length < at + 4 + length) return this.#damage()
        if (length > 0) tables = Buffer.from(payload.subarray(at + 4, at + 4 + length))
        // Number 255 names no table: it comes with each picture.
        if (length > 0 && quality !== 255) this.#tables.set(quality, tables!)
        at += 4 + length
      } else tables ??= tablesOf(quality)
      if (!tables || tables.length % 64 !== 0) return this.#damage()
      this.#header = headerOf(payload[6]! * 8, payload[7]! * 8, type, tables, restart)
    }
    if (offset !== this.#bytes || this.#bytes + payload.length > MOST_PICTURE_BYTES) return this.#damage()
    const body = payload.subarray(at)
    this.#pieces.push(body)
    this.#bytes += body.length
  }

  #damage(): void {
    this.#isDamaged = true
  }
}

function tablesOf(quality: number): Buffer {
  const factor = Math.min(99, Math.max(1, quality))
  const scale = factor < 50 ? Math.floor(5_000 / factor) : 200 - factor * 2
  const scaled = (value: number) => Math.min(255, Math.max(1, Math.floor((value * scale + 50) / 100)))
  return Buffer.from([...LUMA_TABLE, ...CHROMA_TABLE].map(scaled))
}

/** Everything of a JPEG file before its coded data. */
function headerOf(width: number, height: number, type: number, tables: Buffer, restart: number): Buffer {
  const segment = (marker: number, body: Buffer | number[]) => {
    const bytes = Buffer.from(body)
    return Buffer.concat([Buffer.from([0xff, marker, (bytes.length + 2) >> 8, (bytes.length + 2) & 0xff]), bytes])
  }
  const count = tables.length / 64
  const chroma = count > 1 ? 1 : 0
  const quantization = Array.from({ length: count }, (_, i) => [i, ...tables.subarray(i * 64, i * 64 + 64)]).flat()
  const luma = (type & 1) === 0 ? 0x21 : 0x22
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xdb, quantization),
    ...(restart > 0 ? [segment(0xdd, [restart >> 8, restart & 0xff])] : []),
    ...HUFFMAN.map(([id, lengths, values]) =>
      segment(0xc4, Buffer.concat([Buffer.from([id]), Buffer.from(lengths, 'hex'), Buffer.from(values, 'hex')])),
    ),
    // biome-ignore format: bytes
    segment(0xc0, [
      8, height >> 8, height & 0xff, width >> 8, width & 0xff, 3, 1, luma, 0, 2, 0x11, chroma, 3, 0x11, chroma,
    ]),
    segment(0xda, [3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]),
  ])
}

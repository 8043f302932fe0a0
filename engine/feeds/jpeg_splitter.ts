/**
 * Cuts a stream of concatenated JPEGs (ffmpeg's image2pipe) into pictures.
 *
 *     FF D8 | FF xx len len ... | ... | FF DA len len ... | entropy-coded data, FF 00 and FF D0..D7 inside | FF D9
 *
 * Segments are skipped by their length, so that FF D9 inside a thumbnail or a table does not end a picture.
 */
export class JpegSplitter {
  #buffer: Buffer = Buffer.alloc(0)
  /** Bytes of the buffer that belong to the current picture and were scanned. */
  #at = 0
  #inScan = false
  readonly #maxBytes: number

  /** @param maxBytes a larger picture is an error of the source; memory stays bounded */
  constructor(maxBytes = 67_108_864) {
    this.#maxBytes = maxBytes
  }

  /**
   * Takes a piece of the stream and returns the pictures that are complete now. They share no memory with later ones.
   * @throws Error when the stream is not concatenated JPEGs
   */
  push(piece: Uint8Array): Buffer[] {
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#buffer, piece])
    const pictures: Buffer[] = []
    for (let end: number | undefined; (end = this.#scan()) !== undefined; ) {
      pictures.push(this.#buffer.subarray(0, end))
      this.#buffer = this.#buffer.subarray(end)
      this.#at = 0
      this.#inScan = false
    }
    if (this.#buffer.length > this.#maxBytes) throw new Error(`a picture of more than ${this.#maxBytes} bytes`)
    return pictures
  }

  /** Bytes of the picture that is not complete yet. */
  get pending(): number {
    return this.#buffer.length
  }

  /** The end of the first picture in the buffer; undefined when it is not complete. */
  #scan(): number | undefined {
    const b = this.#buffer
    if (this.#at === 0) {
      if (b.length < 2) return undefined
      if (b[0] !== 0xff || b[1] !== 0xd8) throw new Error('the stream is not JPEG')
      this.#at = 2
    }
    for (;;) {
      if (this.#inScan) {
        const marker = b.indexOf(0xff, this.#at)
        // An FF at the end of the piece may begin a marker: it is scanned again with the next piece.
        if (marker < 0 || marker + 1 >= b.length) {
          this.#at = marker < 0 ? b.length : marker
          return undefined
        }
        const code = b[marker + 1]!
        this.#at = marker + 2
        if (code === 0xff)
          this.#at = marker + 1 // fill bytes
        else if (code !== 0 && (code < 0xd0 || code > 0xd7)) {
          this.#inScan = false
          this.#at = marker
        }
        continue
      }
      if (b.length < this.#at + 2) return undefined
      if (b[this.#at] !== 0xff) throw new Error('a JPEG segment is damaged')
      const code = b[this.#at + 1]!
      if (code === 0xd9) return this.#at + 2
      if (code === 0xff || code === 0x01 || (code >= 0xd0 && code <= 0xd7)) {
        this.#at += code === 0xff ? 1 : 2
        continue
      }
      if (b.length < this.#at + 4) return undefined
      const length = b.readUInt16BE(this.#at + 2)
      if (length < 2) throw new Error('a JPEG segment is damaged')
      if (b.length < this.#at + 2 + length) return undefined
      this.#at += 2 + length
      this.#inScan = code === 0xda
    }
  }
}

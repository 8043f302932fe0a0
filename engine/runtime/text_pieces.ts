import { isAscii, isUtf8 } from 'node:buffer'
import { StringDecoder } from 'node:string_decoder'

/** Encodings of a text file. */
export const ENCODINGS = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** The characters of the bytes 0x80 to 0x9F in Windows-1252; a blank is a byte that it does not have. */
const WINDOWS_1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ'
const LINE_FEED = 0x0a

/**
 * Decodes a text file piece by piece. Without a given encoding a byte order mark or the zeros of UTF-16 decide; other
 * files are UTF-8, or Windows-1252 when they are not valid UTF-8. A file that is one in some lines and the other in
 * others is refused: either reading would change texts.
 */
export class TextPieces {
  #encoding: Encoding | undefined
  #given: boolean
  /** Bytes that are not decoded yet: the first three of the file, or the begin of a character. */
  #carry: Buffer = Buffer.alloc(0)
  #isStart = true
  #hasUtf8 = false
  #utf16 = new StringDecoder('utf16le')

  constructor(encoding?: Encoding) {
    this.#encoding = encoding
    this.#given = encoding !== undefined
  }

  /** What the file is in, as far as it is decoded: plain ASCII counts as UTF-8. */
  get encoding(): Encoding {
    return this.#encoding ?? 'utf-8'
  }

  /** The text of a piece, without a byte order mark. @throws Error when the file mixes encodings */
  push(piece: Uint8Array): string {
    const bytes = Buffer.concat([this.#carry, piece])
    if (this.#isStart) {
      if (bytes.length < 4) {
        this.#carry = bytes
        return ''
      }
      this.#isStart = false
      this.#encoding ??= detect(bytes)
    }
    return this.#decode(bytes, false)
  }

  /** What is left at the end of the file. @throws Error when the file mixes encodings */
  end(): string {
    if (this.#isStart) this.#encoding ??= detect(this.#carry)
    this.#isStart = false
    const text = this.#decode(this.#carry, true)
    return text + this.#utf16.end()
  }

  #decode(bytes: Buffer, last: boolean): string {
    this.#carry = Buffer.alloc(0)
    switch (this.#encoding) {
      case 'utf-16le':
        return this.#utf16.write(bytes)
      case 'utf-16be': {
        const whole = bytes.length - (bytes.length % 2)
        this.#carry = Buffer.from(bytes.subarray(whole))
        return this.#utf16.write(Buffer.from(bytes.subarray(0, whole)).swap16())
      }
      case 'windows-1252':
        if (!this.#given && !isAscii(bytes)) this.#tell(bytes)
        return fromWindows1252(bytes)
      default:
        return this.#decodeUtf8(bytes, last)
    }
  }

  #decodeUtf8(bytes: Buffer, last: boolean): string {
    if (isAscii(bytes)) return bytes.toString('latin1')
    const end = last ? bytes.length : wholeCharacters(bytes)
    const body = bytes.subarray(0, end)
    if (this.#given || isUtf8(body)) {
      this.#hasUtf8 ||= !isAscii(body)
      this.#carry = Buffer.from(bytes.subarray(end))
      return body.toString('utf8')
    }
    const whole = bytes.subarray(0, wholeCharacters(bytes))
    // A file that is cut off may end within a character.
    if (last && (this.#hasUtf8 || !isAscii(whole)) && isUtf8(whole)) return bytes.toString('utf8')
    this.#tell(bytes)
    this.#encoding = 'windows-1252'
    return fromWindows1252(bytes)
  }

  /** Looks line by line which encodings there are. @throws Error when there are both */
  #tell(bytes: Buffer): void {
    let hasOther = this.#encoding === 'windows-1252'
    for (let at = 0; at < bytes.length; ) {
      const found = bytes.indexOf(LINE_FEED, at)
      const end = found < 0 ? bytes.length : found + 1
      const line = bytes.subarray(at, end)
      // The first and the last line of a piece may be cut within a character.
      const isWhole = at > 0 && found >= 0
      if (!isAscii(line)) {
        if (!isUtf8(line)) hasOther = true
        else if (isWhole || !hasOther) this.#hasUtf8 = true
      }
      at = end
    }
    if (this.#hasUtf8 && hasOther)
      throw new Error(
        'some of its lines are UTF-8 and others Windows-1252; save it as UTF-8, or name one with --encoding',
      )
  }
}

/** How many bytes of a piece of UTF-8 are whole characters. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) break
    if (byte >= 0xc0) return byte >= (back === 1 ? 0xc0 : back === 2 ? 0xe0 : 0xf0) ? bytes.length - back : bytes.length
  }
  return bytes.length
}

function detect(bytes: Buffer): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (bytes.length >= 4 && bytes[0] && !bytes[1] && bytes[2] && !bytes[3]) return 'utf-16le'
  if (bytes.length >= 4 && !bytes[0] && bytes[1] && !bytes[2] && bytes[3]) return 'utf-16be'
  return 'utf-8'
}

const fromWindows1252 = (bytes: Buffer): string =>
  bytes.toString('latin1').replace(/[\x80-\x9f]/g, (c) => {
    const character = WINDOWS_1252[c.charCodeAt(0) - 0x80]!
    return character === ' ' ? '\ufffd' : character
  })

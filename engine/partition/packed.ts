/**
 * JSON values as bytes, one character of a string each. Such a string takes as much memory as it has characters, and no
 * object around it. A state takes a quarter of its JSON text.
 *
 *     0..127             that number
 *     INTEGER            varint                        varint: lowest 7 bits first, the highest bit says that more
 *     NEGATIVE           varint of its opposite        follow
 *     HUNDREDTHS         varint of the number times 100, times 2, plus 1 below zero
 *     SINGLE, DOUBLE     4 or 8 bytes
 *     TEXT               varint length, Latin-1        also what is packed already
 *     UNICODE            varint length, UTF-8
 *     DIGITS             8 bytes: a number of up to 64 bits as decimal text, as ids of reads are
 *     BYTES              varint length, bytes          Uint8Array
 *     ARRAY              varint length, values
 *     OBJECT             (key, value)*, 0              key: its number in KEYS from 1, or OTHER_KEY and a text
 */
export type Packed = string

const NULL = 0x80
const TRUE = 0x81
const FALSE = 0x82
const INTEGER = 0x83
const NEGATIVE = 0x84
const HUNDREDTHS = 0x85
const SINGLE = 0x86
const DOUBLE = 0x87
const TEXT = 0x88
const UNICODE = 0x89
const BYTES = 0x8a
const ARRAY = 0x8b
const OBJECT = 0x8c
const DIGITS = 0x8d
const OTHER_KEY = 0xff
const LOW = 128

/** Keys that are written as one byte. Checkpoints contain their numbers: new ones go to the end, none is removed. */
const KEYS = [
  // Checkpoint log
  ...['part', 'snapshot', 'states', 'patches', 'gone', 'position', 'committed', 'committedAt', 'wanted', 'stream'],
  ...['created', 'epoch'],
  // CameraJson
  ...['seq', 'live', 'late', 'at', 'steps', 'passed', 'recent', 'hours', 'watermark', 'open'],
  // PassJson
  ...['state', 'vote', 'columns', 'weight', 'detections', 'readId', 'first', 'start', 'last', 'trail', 'movedM'],
  ...['followed', 'arrivedAt', 'checked', 'track', 'velocity', 'heading', 'speed', 'feed', 'frames', 'texts'],
  ...['regions', 'best', 'hits', 'pictureless', 'pictures', 'stored', 'ts', 'lat', 'lon', 'width', 'box', 'x', 'y'],
  ...['height', 'logits', 'merit', 'quad', 'quality', 'heightPx', 'sharpness', 'contrast', 'glare', 'crop', 'picture'],
  ...['segment', 'offset', 'length', 'revision', 'listed', 'listName', 'listVersion', 'listLoadedAt', 'reason'],
  ...['priority'],
  // Checkpoint log
  ...['behind', 'camera', 'done', 'doneAt', 'hit', 'decided', 'closing', 'after', 'hitId', 'list', 'plate'],
  // Lingering passes
  ...['members', 'lingering'],
]
const NUMBER_OF_KEY = new Map(KEYS.map((key, index) => [key, index + 1]))

let buffer = Buffer.allocUnsafeSlow(65_536)
let at = 0

/** @param value what JSON.stringify takes, and Uint8Array */
export function pack(value: unknown): Packed {
  at = 0
  write(value)
  return buffer.toString('latin1', 0, at)
}

/** @param from where it begins @throws RangeError when it is not what `pack` wrote */
export function unpack(packed: Packed, from = 0): unknown {
  return unpackBytes(Buffer.from(packed, 'latin1').subarray(from))
}

/** @throws RangeError when they are not what `pack` wrote */
export function unpackBytes(bytes: Buffer): unknown {
  const unpacker = new Unpacker(bytes)
  const value = unpacker.value()
  if (!unpacker.isAtEnd) throw new RangeError('not packed: more follows')
  return value
}

function write(value: unknown): void {
  if (at + 16 > buffer.length) grow(16)
  switch (typeof value) {
    case 'number':
      return writeNumber(value)
    case 'string':
      return writeText(value)
    case 'boolean':
      buffer[at++] = value ? TRUE : FALSE
      return
    case 'object':
      if (value === null) break
      if (value instanceof Uint8Array) return writeBytes(value)
      if (Array.isArray(value)) {
        buffer[at++] = ARRAY
        writeVarint(value.length)
        for (const one of value) write(one)
        return
      }
      return writeObject(value as Record<string, unknown>)
  }
  buffer[at++] = NULL
}

function writeNumber(value: number): void {
  if (Number.isSafeInteger(value)) {
    if (value >= 0 && value < LOW) buffer[at++] = value
    else {
      buffer[at++] = value < 0 ? NEGATIVE : INTEGER
      writeVarint(Math.abs(value))
    }
    return
  }
  const hundredths = Math.round(value * 100)
  if (hundredths / 100 === value && Math.abs(hundredths) < 2 ** 27) {
    buffer[at++] = HUNDREDTHS
    writeVarint(value < 0 ? -2 * hundredths + 1 : 2 * hundredths)
  } else if (!Number.isFinite(value)) buffer[at++] = NULL
  else if (Math.fround(value) === value) {
    buffer[at++] = SINGLE
    at = buffer.writeFloatLE(value, at)
  } else {
    buffer[at++] = DOUBLE
    at = buffer.writeDoubleLE(value, at)
  }
}

function writeText(text: string): void {
  if (isDigits(text)) {
    buffer[at++] = DIGITS
    at = buffer.writeBigUInt64LE(BigInt(text), at)
    return
  }
  const isLatin = isOneByte(text)
  const length = isLatin ? text.length : Buffer.byteLength(text)
  if (at + length + 16 > buffer.length) grow(length + 16)
  buffer[at++] = isLatin ? TEXT : UNICODE
  writeVarint(length)
  at += buffer.write(text, at, isLatin ? 'latin1' : 'utf8')
}

/** Whether it is longer as text, and comes back as it is: without a leading zero, below 2^64. */
const isDigits = (text: string): boolean =>
  text.length > 8 && text.length <= 20 && /^[1-9]\d+$/.test(text) && (text.length < 20 || text <= kMostDigits)
const kMostDigits = String(2n ** 64n - 1n)

function isOneByte(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false
  return true
}

function writeBytes(bytes: Uint8Array): void {
  if (at + bytes.length + 16 > buffer.length) grow(bytes.length + 16)
  buffer[at++] = BYTES
  writeVarint(bytes.length)
  buffer.set(bytes, at)
  at += bytes.length
}

function writeObject(object: Record<string, unknown>): void {
  if (typeof object.toJSON === 'function') return write((object as { toJSON(): unknown }).toJSON())
  buffer[at++] = OBJECT
  for (const key in object) {
    const value = object[key]
    if (value === undefined) continue
    if (at + 16 > buffer.length) grow(16)
    buffer[at++] = NUMBER_OF_KEY.get(key) ?? OTHER_KEY
    if (buffer[at - 1] === OTHER_KEY) writeText(key)
    write(value)
  }
  if (at + 16 > buffer.length) grow(16)
  buffer[at++] = 0
}

function writeVarint(value: number): void {
  for (; value >= LOW; value = Math.floor(value / LOW)) buffer[at++] = (value % LOW) + LOW
  buffer[at++] = value
}

function grow(by: number): void {
  const larger = Buffer.allocUnsafeSlow(Math.max(2 * buffer.length, at + by))
  buffer.copy(larger, 0, 0, at)
  buffer = larger
}

class Unpacker {
  private at = 0

  constructor(private readonly bytes: Buffer) {}

  value(): unknown {
    const tag = this.byte()
    if (tag < LOW) return tag
    switch (tag) {
      case NULL:
        return null
      case TRUE:
      case FALSE:
        return tag === TRUE
      case INTEGER:
        return this.varint()
      case NEGATIVE:
        return -this.varint()
      case HUNDREDTHS: {
        const value = this.varint()
        return (value % 2 === 1 ? (1 - value) / 2 : value / 2) / 100
      }
      case SINGLE:
        return this.bytes.readFloatLE(this.skip(4))
      case DOUBLE:
        return this.bytes.readDoubleLE(this.skip(8))
      case TEXT:
      case UNICODE:
        return this.text(tag)
      case DIGITS:
        return this.bytes.readBigUInt64LE(this.skip(8)).toString()
      case BYTES: {
        const length = this.varint()
        const from = this.skip(length)
        return this.bytes.subarray(from, from + length)
      }
      case ARRAY:
        return Array.from({ length: this.varint() }, () => this.value())
      case OBJECT:
        return this.object()
      default:
        throw new RangeError(`not packed: ${tag} at ${this.at - 1}`)
    }
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length
  }

  private object(): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    for (let key = this.byte(); key !== 0; key = this.byte())
      object[key === OTHER_KEY ? this.text(this.byte()) : KEYS[key - 1]!] = this.value()
    return object
  }

  private text(tag: number): string {
    const length = this.varint()
    const from = this.skip(length)
    return this.bytes.toString(tag === TEXT ? 'latin1' : 'utf8', from, from + length)
  }

  private varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= LOW) {
      const byte = this.byte()
      value += (byte % LOW) * scale
      if (byte < LOW) return value
    }
  }

  private byte(): number {
    return this.bytes[this.skip(1)]!
  }

  /** @returns where they begin */
  private skip(count: number): number {
    const from = this.at
    this.at += count
    if (this.at > this.bytes.length) throw new RangeError(`not packed: it ends at ${this.bytes.length}`)
    return from
  }
}

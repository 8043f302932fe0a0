/**
 * ClickHouse's RowBinary: the values of a row one after the other, little endian, without names. Numbers outside the
 * range of their type are clamped, because one odd value must not block a whole batch forever.
 */
const FIRST_BYTES = 65_536
/** Longer texts are truncated, UTF-16 units. */
const MAX_TEXT = 65_536
/** Texts up to this length are written character by character: a call into C++ costs more. */
const SHORT_TEXT = 64
const MAX_U64 = 2n ** 64n - 1n
const MAX_U32 = 4_294_967_295
const TWO_32 = 2 ** 32
/** The last time that `toMonday` and DateTime can hold: 2106-02-07. */
const MAX_TIME_MS = MAX_U32 * 1_000

export class RowBinary {
  #buffer: Buffer
  #length = 0

  constructor(bytes = FIRST_BYTES) {
    this.#buffer = Buffer.allocUnsafe(bytes)
  }

  /** The bytes written so far, as a view: do not write while it is in use. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Number of bytes written so far. */
  get size(): number {
    return this.#length
  }

  u8(value: number): void {
    this.#room(1)
    this.#buffer[this.#length++] = clamp(value, 255)
  }

  u16(value: number): void {
    this.#room(2)
    this.#length = this.#buffer.writeUInt16LE(clamp(value, 65_535), this.#length)
  }

  u32(value: number): void {
    this.#room(4)
    this.#length = this.#buffer.writeUInt32LE(clamp(value, MAX_U32), this.#length)
  }

  /** @param value a number is truncated to an integer and clamped to the safe integers */
  u64(value: bigint | number): void {
    this.#room(8)
    if (typeof value === 'number') {
      const whole = clamp(value, Number.MAX_SAFE_INTEGER)
      this.#length = this.#buffer.writeUInt32LE(whole % TWO_32, this.#length)
      this.#length = this.#buffer.writeUInt32LE(Math.floor(whole / TWO_32), this.#length)
      return
    }
    this.#length = this.#buffer.writeBigUInt64LE(value < 0n ? 0n : value > MAX_U64 ? MAX_U64 : value, this.#length)
  }

  /** @param value a safe integer */
  i64(value: number): void {
    this.#room(8)
    this.#length = this.#buffer.writeBigInt64LE(BigInt(value), this.#length)
  }

  /** NaN and infinities become 0: the type has them, but JSON does not. */
  f32(value: number): void {
    this.#room(4)
    this.#length = this.#buffer.writeFloatLE(finite(Math.fround(value)), this.#length)
  }

  f64(value: number): void {
    this.#room(8)
    this.#length = this.#buffer.writeDoubleLE(finite(value), this.#length)
  }

  /** Decimal(digits, scale) of up to nine digits; rounded, and clamped to its digits. */
  decimal(value: number, scale: number, digits: number): void {
    const most = 10 ** digits - 1
    this.#room(4)
    this.#length = this.#buffer.writeInt32LE(
      Math.max(-most, Math.min(most, Math.round(finite(value) * 10 ** scale))),
      this.#length,
    )
  }

  /** DateTime64(3). @param milliseconds since 1970 UTC */
  milliseconds(value: number): void {
    this.u64(clamp(value, MAX_TIME_MS))
  }

  /** DateTime. @param milliseconds since 1970 UTC, truncated to seconds */
  seconds(value: number): void {
    this.u32(clamp(value, MAX_TIME_MS) / 1_000)
  }

  text(value: string): void {
    if (value.length <= SHORT_TEXT && this.#ascii(value)) return
    const text = value.length > MAX_TEXT ? value.slice(0, MAX_TEXT) : value
    const bytes = Buffer.byteLength(text)
    this.length(bytes)
    this.#room(bytes)
    this.#length += this.#buffer.write(text, this.#length)
  }

  /** Writes a short ASCII text. @returns false when the text is not ASCII; then nothing is written */
  #ascii(value: string): boolean {
    const { length } = value
    this.#room(length + 1)
    const [buffer, start] = [this.#buffer, this.#length + 1]
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i)
      if (code > 127) return false
      buffer[start + i] = code
    }
    buffer[start - 1] = length
    this.#length = start + length
    return true
  }

  /** The length of a text or an array, in LEB128. */
  length(value: number): void {
    this.#room(5)
    let rest = value
    for (; rest > 127; rest >>>= 7) this.#buffer[this.#length++] = (rest & 127) | 128
    this.#buffer[this.#length++] = rest
  }

  /** The byte before a Nullable value. */
  isNull(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** An integer from 0 to `max`; NaN becomes 0. */
function clamp(value: number, max: number): number {
  return value > 0 ? Math.min(Math.floor(value), max) : 0
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0
}

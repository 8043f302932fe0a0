/** Lower 7 bits of a number's bytes; the highest bit says that more follow. */
const LOW = 128

/** Appends a whole number of 0 or more, lowest 7 bits first. */
export function writeVarint(bytes: number[], value: number): void {
  for (; value >= LOW; value = Math.floor(value / LOW)) bytes.push((value % LOW) + LOW)
  bytes.push(value)
}

/** Reads what `writeVarint` wrote, one number after another. */
export class VarintReader {
  private at = 0

  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  number(): number {
    let value = 0
    for (let scale = 1; ; scale *= LOW) {
      const byte = this.bytes[this.at++] ?? 0
      value += (byte % LOW) * scale
      if (byte < LOW) return value
    }
  }

  /** A number of this many bytes, lowest first. */
  fixed(length: number): number {
    let value = 0
    for (let n = 0; n < length; n++) value += (this.bytes[this.at++] ?? 0) * 2 ** (8 * n)
    return value
  }
}

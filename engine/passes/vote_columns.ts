import { CLASSES } from '../../wasm/mod.js'

/**
 * The columns of a vote as bytes, bit for bit. Most characters of a column were never likelier than the lowest
 * probability, so their sums are equal:
 *
 *     | f32: the commonest sum | 1: how many differ | (1: class, f32: its sum)* |     per column
 */
export function writeColumns(columns: readonly Float32Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(columns.length * (5 + 5 * CLASSES))
  let at = 0
  for (const column of columns) {
    const common = commonest(column)
    const count = bytes.writeFloatLE(common, at)
    at = count + 1
    column.forEach((sum, c) => {
      if (sum === common) return
      bytes[at++] = c
      at = bytes.writeFloatLE(sum, at)
    })
    bytes[count] = (at - count - 1) / 5
  }
  return bytes.subarray(0, at)
}

/** @param json base64 of all sums in the state of an older release */
export function readColumns(json: Uint8Array | string): Float32Array[] {
  if (typeof json === 'string') return allSums(Buffer.from(json, 'base64'))
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.length)
  const columns: Float32Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const column = new Float32Array(CLASSES).fill(bytes.readFloatLE(at))
    const end = at + 5 + 5 * bytes[at + 4]!
    for (at += 5; at < end; at += 5) column[bytes[at]!] = bytes.readFloatLE(at + 1)
    columns.push(column)
  }
  return columns
}

function allSums(bytes: Buffer): Float32Array[] {
  const flat = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
  return Array.from({ length: flat.length / CLASSES }, (_, i) => flat.slice(i * CLASSES, (i + 1) * CLASSES))
}

/** The value of more than half of the sums, if there is one; else some value of the column. */
function commonest(column: Float32Array): number {
  let candidate = column[0]!
  let lead = 0
  for (const sum of column) {
    if (lead === 0) candidate = sum
    lead += sum === candidate ? 1 : -1
  }
  return candidate
}

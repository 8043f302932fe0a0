/**
 * A WebSocket text frame (RFC 6455, 5.2) of a server: unfragmented, unmasked and uncompressed, hence the same bytes for
 * every console.
 *
 *     0x81 | length, 7 bits                      up to 125 bytes
 *     0x81 | 126 | length, 16 bits big endian    up to 65,535
 *     0x81 | 127 | length, 64 bits big endian
 */
export function textFrame(text: string): Buffer {
  const bytes = Buffer.byteLength(text)
  const head = bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafeSlow(head + bytes)
  frame[0] = 0x81
  frame[1] = head === 2 ? bytes : head === 4 ? 126 : 127
  if (head === 4) frame.writeUInt16BE(bytes, 2)
  else if (head === 10) frame.writeBigUInt64BE(BigInt(bytes), 2)
  frame.write(text, head)
  return frame
}

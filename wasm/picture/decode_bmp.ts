import { corrupt } from './jpeg/corrupt.js'
import { checkSize, type LumaTarget, type Size } from './limits.js'
import { lumaOfRgba } from './luma.js'

/** Bytes of the file header and of the information header up to the size. */
const HEADER_BYTES = 26

/**
 * Whether a file begins like a Windows bitmap. Old cameras and plate collections have them; sharp does not support
 * them.
 */
export const isBmp = (bytes: Uint8Array): boolean =>
  bytes.length >= HEADER_BYTES && bytes[0] === 0x42 && bytes[1] === 0x4d

/**
 * Decodes the luma of a Windows bitmap into the target. Ignores transparency, as viewers do. Checks the size before
 * allocating anything.
 * @throws ALPR_ERR_FRAME_CORRUPT, _TOO_SMALL, _TOO_LARGE
 */
export async function decodeBmp(bytes: Uint8Array, target: LumaTarget): Promise<Size> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  checkSize({ width: view.getUint32(18, true), height: Math.abs(view.getInt32(22, true)) })
  const { decode } = await import('bmp-ts')
  let picture: { width: number; height: number; data: Uint8Array }
  try {
    picture = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { toRGBA: true })
  } catch (error) {
    throw corrupt(error instanceof Error ? error.message : String(error), error)
  }
  const { width, height, data } = picture
  for (let i = 3; i < data.length; i += 4) data[i] = 255
  lumaOfRgba(data, target.lumaBuffer(width, height))
  return { width, height }
}

import { exifBlock } from './exif_block.js'
import type { LumaTarget, Size } from './limits.js'

/**
 * EXIF orientation: 1 upright, 3 upside down, 6 to be turned clockwise, 8 anticlockwise; 2, 4, 5 and 7 are mirrored.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

const ORIENTATION_TAG = 0x0112
/** Bytes of a value by its TIFF type: BYTE, SHORT and LONG; cameras write each. */
const SIZES: Record<number, 1 | 2 | 4> = { 1: 1, 3: 2, 4: 4 }

/** The EXIF orientation of a JPEG, PNG or WebP, 1 when it is missing or invalid. */
export function readOrientation(bytes: Uint8Array, kind: 'jpeg' | 'png' | 'webp' = 'jpeg'): Orientation {
  const block = exifBlock(bytes, kind)
  if (!block || block.to - block.from < 8) return 1
  return orientationOfTiff(new DataView(bytes.buffer, bytes.byteOffset + block.from, block.to - block.from))
}

/** Reads the first directory of EXIF's TIFF structure. */
function orientationOfTiff(tiff: DataView): Orientation {
  const order = tiff.getUint16(0)
  if (order !== 0x4949 && order !== 0x4d4d) return 1
  const little = order === 0x4949
  const directory = tiff.getUint32(4, little)
  if (directory + 2 > tiff.byteLength) return 1
  const entries = tiff.getUint16(directory, little)
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i
    if (at + 12 > tiff.byteLength) return 1
    if (tiff.getUint16(at, little) !== ORIENTATION_TAG) continue
    const size = SIZES[tiff.getUint16(at + 2, little)]
    const value =
      size === 4
        ? tiff.getUint32(at + 8, little)
        : size === 2
          ? tiff.getUint16(at + 8, little)
          : size
            ? tiff.getUint8(at + 8)
            : 0
    return value >= 1 && value <= 8 ? (value as Orientation) : 1
  }
  return 1
}

/**
 * Writes the luma of a picture upright into the target. Pixels are moved, never blended, so the result is bit-exact.
 */
export function turnUpright(
  luma: Uint8Array,
  { width, height }: Size,
  orientation: Orientation,
  target: LumaTarget,
): Size {
  const across = orientation >= 5
  const size = across ? { width: height, height: width } : { width, height }
  const out = target.lumaBuffer(size.width, size.height)
  // target of source pixel (0, 0), and the offsets of one step right and one step down
  const last = out.length - 1
  const row = size.width
  const [from, right, down] = (
    [
      [0, 1, row],
      [row - 1, -1, row],
      [last, -1, -row],
      [last - row + 1, 1, -row],
      [0, row, 1],
      [row - 1, row, -1],
      [last, -row, -1],
      [last - row + 1, -row, 1],
    ] as const
  )[orientation - 1]!
  for (let y = 0, source = 0; y < height; y++) {
    for (let x = 0, at = from + y * down; x < width; x++, at += right) out[at] = luma[source++]!
  }
  return size
}

import type { LumaTarget, Size } from './limits.js'

/**
 * EXIF orientation: 1 upright, 3 upside down, 6 to be turned clockwise, 8 anticlockwise; 2, 4, 5 and 7 are mirrored.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

const APP1 = 0xe1
const SCAN = 0xda
const ORIENTATION_TAG = 0x0112
const SHORT = 3

/** The EXIF orientation of a JPEG, 1 when it is missing or invalid. */
export function readOrientation(jpeg: Uint8Array): Orientation {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength)
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff && jpeg[at + 1] !== SCAN; ) {
    const length = view.getUint16(at + 2)
    const end = at + 2 + length
    if (
      jpeg[at + 1] === APP1 &&
      end <= jpeg.length &&
      length >= 16 &&
      view.getUint32(at + 4) === 0x45786966 &&
      view.getUint16(at + 8) === 0
    ) {
      return orientationOfTiff(new DataView(jpeg.buffer, jpeg.byteOffset + at + 10, end - at - 10))
    }
    at = end
  }
  return 1
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
    if (tiff.getUint16(at, little) !== ORIENTATION_TAG || tiff.getUint16(at + 2, little) !== SHORT) continue
    const value = tiff.getUint16(at + 8, little)
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

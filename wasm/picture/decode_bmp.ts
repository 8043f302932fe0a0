import type { Decoded } from './decoded.js'
import { corrupt, truncated } from './jpeg/corrupt.js'
import { unsupported } from './kind.js'
import { reducedSize, reductionOf, type LumaTarget, type Size } from './limits.js'
import { reduceLuma } from './reduce.js'

/** Bytes of the file header; a bitmap header follows, whose first word is its size. */
const FILE_HEADER = 14
/** Size of the header of OS/2 1, of Windows' least one, and of OS/2 2, whose compressions are others. */
const CORE = 12
const INFO = 40
const OS2 = 64
/** Grey of rows that a cut file lacks, and the least part of the rows that it must have. */
const UNKNOWN = 128
const LEAST_SHARE = 0.25

/** By the number in the header. */
const COMPRESSIONS = ['none', 'RLE8', 'RLE4', 'masks', 'JPEG', 'PNG', 'masks'] as const
const DEPTHS = [1, 2, 4, 8, 16, 24, 32]

interface Bitmap extends Size {
  /** Whether the first row is the lowest. */
  upwards: boolean
  depth: number
  compression: 'none' | 'RLE8' | 'RLE4' | 'masks'
  /** First byte of the pixels. */
  pixels: number
  /** Luma of the palette's colours. */
  palette: Uint8Array
  /** Masks of red, green and blue, of 16 and 32 bits a pixel. */
  masks: [number, number, number]
}

/**
 * Decodes the luma of a bitmap of Windows or OS/2 into the target: 1 to 32 bits a pixel, palettes, masks, run lengths,
 * either row order. Ignores transparency, as viewers do. A file that is cut is read in part.
 * @throws ALPR_ERR_FRAME_CORRUPT, _TRUNCATED, _TOO_SMALL, _TOO_LARGE, ALPR_ERR_PICTURE_UNSUPPORTED
 */
export function decodeBmp(bytes: Uint8Array, target: LumaTarget): Decoded {
  if (bytes.length < FILE_HEADER + CORE) throw truncated('in its header')
  const bitmap = readHeader(bytes)
  const reduced = reductionOf(bitmap, 1)
  const size = reducedSize(bitmap, reduced)
  const luma = target.lumaBuffer(size.width, size.height)
  const full = reduced === 1 ? luma : new Uint8Array(bitmap.width * bitmap.height)
  full.fill(UNKNOWN)
  const run = bitmap.compression === 'RLE8' || bitmap.compression === 'RLE4'
  const rows = run ? unpackRuns(bytes, bitmap, full) : unpackRows(bytes, bitmap, full)
  if (reduced > 1) reduceLuma(full, bitmap, reduced, luma)
  const share = rows / bitmap.height
  if (share >= 1) return { ...size, reduced }
  const reason = `${Math.floor(rows)} of ${bitmap.height} rows are there`
  if (share < LEAST_SHARE) throw truncated(reason)
  target.markDamaged?.(share)
  return { ...size, reduced, damage: { code: 'ALPR_ERR_FRAME_TRUNCATED', reason, share } }
}

function readHeader(bytes: Uint8Array): Bitmap {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = view.getUint32(FILE_HEADER, true)
  const core = header === CORE
  if (!core && (header < INFO || header > 256)) throw corrupt(`a bitmap header of ${header} bytes`)
  if (bytes.length < FILE_HEADER + header) throw truncated('in its header')
  const width = core ? view.getUint16(18, true) : view.getInt32(18, true)
  const height = core ? view.getInt16(20, true) : view.getInt32(22, true)
  const depth = view.getUint16(core ? 24 : 28, true)
  const compression = compressionOf(core ? 0 : view.getUint32(30, true), header)
  if (!DEPTHS.includes(depth)) throw corrupt(`${depth} bits a pixel`)
  if (width < 1 || height === 0) throw corrupt(`${width}x${height} pixels`)
  if ((compression === 'RLE8' && depth !== 8) || (compression === 'RLE4' && depth !== 4))
    throw corrupt(`${compression} with ${depth} bits a pixel`)
  if (compression === 'masks' && depth !== 16 && depth !== 32) throw corrupt(`masks with ${depth} bits a pixel`)
  const after = FILE_HEADER + header
  const masked = compression === 'masks' && header === INFO
  if (masked && bytes.length < after + 12) throw truncated('in its header')
  const entry = core ? 3 : 4
  const used = core ? 0 : view.getUint32(46, true)
  const colours = depth > 8 ? 0 : used > 0 && used <= 1 << depth ? used : 1 << depth
  const start = after + (masked ? 12 : 0)
  const stated = view.getUint32(10, true)
  const palette = paletteOf(bytes.subarray(start), colours, entry, depth)
  return {
    width,
    height: Math.abs(height),
    upwards: height > 0,
    depth,
    compression,
    palette,
    pixels: stated >= FILE_HEADER + header && stated < bytes.length ? stated : start + colours * entry,
    masks:
      compression === 'masks'
        ? ([54, 58, 62].map((at) => view.getUint32(at, true)) as [number, number, number])
        : depth === 16
          ? [0x7c00, 0x03e0, 0x001f]
          : [0xff0000, 0xff00, 0xff],
  }
}

function compressionOf(number: number, header: number): Bitmap['compression'] {
  const name = COMPRESSIONS[number]
  const refuse = (what: string) => unsupported({ what: `a bitmap ${what}`, remedy: 'convert it to JPEG or PNG first' })
  if (name === undefined) throw refuse(`with compression ${number}`)
  if (header === OS2 && number === 3) throw refuse('of OS/2 with Huffman coding')
  if (header === OS2 && number === 4) throw refuse('of OS/2 with RLE24')
  if (name === 'JPEG' || name === 'PNG') throw refuse(`that holds a ${name}`)
  return name
}

/** JPEG's luma of RGB, 0..255. */
const lumaOf = (r: number, g: number, b: number): number => (19595 * r + 38470 * g + 7471 * b + 32768) >> 16

/** Colours that the file lacks are black. */
function paletteOf(bytes: Uint8Array, colours: number, entry: number, depth: number): Uint8Array {
  const palette = new Uint8Array(depth > 8 ? 0 : 1 << depth)
  for (let i = 0; i < colours && (i + 1) * entry <= bytes.length; i++)
    palette[i] = lumaOf(bytes[i * entry + 2]!, bytes[i * entry + 1]!, bytes[i * entry]!)
  return palette
}

/** @returns the number of rows that are there */
function unpackRows(bytes: Uint8Array, bitmap: Bitmap, out: Uint8Array): number {
  const { width, height, depth, pixels } = bitmap
  const stride = 4 * Math.ceil((width * depth) / 32)
  const needed = Math.ceil((width * depth) / 8)
  const pixel = pixelReader(bytes, bitmap)
  let row = 0
  // the last row may lack its padding
  for (; row < height && pixels + row * stride + needed <= bytes.length; row++) {
    const to = (bitmap.upwards ? height - 1 - row : row) * width
    const from = pixels + row * stride
    for (let x = 0; x < width; x++) out[to + x] = pixel(from, x)
  }
  return row
}

type PixelReader = (row: number, x: number) => number

function pixelReader(bytes: Uint8Array, { depth, palette, masks }: Bitmap): PixelReader {
  if (depth <= 8) {
    const mask = (1 << depth) - 1
    return (row, x) => {
      const bit = x * depth
      return palette[(bytes[row + (bit >> 3)]! >> (8 - depth - (bit & 7))) & mask]!
    }
  }
  if (depth === 24) return (row, x) => lumaOf(bytes[row + 3 * x + 2]!, bytes[row + 3 * x + 1]!, bytes[row + 3 * x]!)
  const [red, green, blue] = masks.map(channel) as [Channel, Channel, Channel]
  const wide = depth === 32
  return (row, x) => {
    const at = row + x * (wide ? 4 : 2)
    const low = bytes[at]! | (bytes[at + 1]! << 8)
    const value = wide ? (low | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0 : low
    return lumaOf(red(value), green(value), blue(value))
  }
}

type Channel = (value: number) => number

/** The channel of a mask, scaled to 0..255. */
function channel(mask: number): Channel {
  if (mask === 0) return () => 0
  const shift = 31 - Math.clz32(mask & -mask)
  const most = mask >>> shift
  return (value) => Math.round((((value & mask) >>> shift) * 255) / most)
}

/** Run lengths; pixels that they skip have colour 0. @returns the number of rows until the data ends */
function unpackRuns(bytes: Uint8Array, bitmap: Bitmap, out: Uint8Array): number {
  const { width, height, palette, pixels, compression } = bitmap
  const four = compression === 'RLE4'
  out.fill(palette[0]!)
  let x = 0
  let y = 0
  const put = (index: number) => {
    if (x < width && y < height) out[(bitmap.upwards ? height - 1 - y : y) * width + x] = palette[index]!
    x++
  }
  for (let at = pixels; at + 1 < bytes.length && y < height; ) {
    const count = bytes[at]!
    const value = bytes[at + 1]!
    at += 2
    if (count > 0) {
      for (let i = 0; i < count; i++) put(four ? (i & 1 ? value & 15 : value >> 4) : value)
    } else if (value === 0) {
      x = 0
      y++
    } else if (value === 1) return height
    else if (value === 2) {
      x += bytes[at] ?? 0
      y += bytes[at + 1] ?? 0
      at += 2
    } else {
      const length = four ? (value + 1) >> 1 : value
      if (at + length > bytes.length) break
      for (let i = 0; i < value; i++) put(four ? (bytes[at + (i >> 1)]! >> (i & 1 ? 0 : 4)) & 15 : bytes[at + i]!)
      at += length + (length & 1)
    }
  }
  return Math.min(height, y + (x >= width ? 1 : 0))
}

import { checkSize } from '../limits.js'
import { corrupt, OtherJpeg } from './corrupt.js'
import type { Huffman } from './huffman.js'

/** One colour component of the picture. */
export interface Component {
  id: number
  /** Sampling factors. */
  h: number
  v: number
  quantisation: number
  /** Blocks that hold pixels, and blocks with the padding of the last minimal coded units. */
  blocksX: number
  blocksY: number
  paddedX: number
  /** Of a progressive picture: 64 coefficients per block, in natural order. */
  coefficients: Int16Array
  /** Of a progressive picture, by coefficient: the lowest bit decoded so far, -1 for none. */
  known: Int8Array
  /** Value before the next DC difference. */
  dc: number
  dcTable: Huffman | undefined
  acTable: Huffman | undefined
}

export interface Frame {
  progressive: boolean
  width: number
  height: number
  /** Minimal coded units of an interleaved scan. */
  unitsX: number
  unitsY: number
  /** Luma first. */
  components: Component[]
}

/**
 * Parses a frame header; `at` is the position after its length. @throws ALPR_ERR_FRAME_CORRUPT, _TOO_SMALL, _TOO_LARGE,
 * OtherJpeg
 */
export function readFrame(bytes: Uint8Array, at: number, length: number, marker: number): Frame {
  const byte = (offset: number) => bytes[at + offset]!
  if (byte(0) !== 8) throw corrupt(`${byte(0)} bits a sample`)
  const height = byte(1) * 256 + byte(2)
  const width = byte(3) * 256 + byte(4)
  const count = byte(5)
  checkSize({ width, height })
  if (count !== 1 && count !== 3) throw new OtherJpeg(`${count} components`)
  if (length !== 6 + 3 * count) throw corrupt(`a frame header of ${length} bytes for ${count} components`)
  const factors = Array.from({ length: count }, (_, i) => ({
    id: byte(6 + 3 * i),
    h: byte(7 + 3 * i) >> 4,
    v: byte(7 + 3 * i) & 15,
    quantisation: byte(8 + 3 * i),
  }))
  if (factors.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4)) throw corrupt('sampling factors out of range')
  const mostH = Math.max(...factors.map(({ h }) => h))
  const mostV = Math.max(...factors.map(({ v }) => v))
  if (factors[0]!.h !== mostH || factors[0]!.v !== mostV) throw new OtherJpeg('luma of less than full size')
  const progressive = marker === 0xc2
  const unitsX = Math.ceil(width / (8 * mostH))
  const unitsY = Math.ceil(height / (8 * mostV))
  const components = factors.map(
    (f): Component => ({
      ...f,
      blocksX: Math.ceil(Math.ceil((width * f.h) / mostH) / 8),
      blocksY: Math.ceil(Math.ceil((height * f.v) / mostV) / 8),
      paddedX: unitsX * f.h,
      coefficients: new Int16Array(progressive ? unitsX * f.h * unitsY * f.v * 64 : 64),
      known: new Int8Array(64).fill(-1),
      dc: 0,
      dcTable: undefined,
      acTable: undefined,
    }),
  )
  return { progressive, width, height, unitsX, unitsY, components }
}

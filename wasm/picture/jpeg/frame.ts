import type { JpegHeader } from '../jpeg_header.js'
import { corrupt } from './corrupt.js'
import type { Huffman } from './huffman.js'

/** One colour component of the picture. */
export interface Component {
  id: number
  /** Sampling factors. */
  h: number
  v: number
  quantisation: number
  /** Whether the luma depends on it; of others nothing is kept. */
  needed: boolean
  /** Blocks that hold pixels, and blocks with the padding of the last minimal coded units. */
  blocksX: number
  blocksY: number
  paddedX: number
  /** Of a needed component of a progressive picture: 64 coefficients per block, in natural order. */
  coefficients: Int16Array
  /** Of a progressive picture, by coefficient: the lowest bit decoded so far, -1 for none. */
  known: Int8Array
  /** Value before the next DC difference, and the largest that an encoder writes. */
  dc: number
  mostDc: number
  dcTable: Huffman | undefined
  acTable: Huffman | undefined
  /** Quantisation with the scales of the transform; set by the component's first scan. */
  table: Int16Array | undefined
}

export interface Frame {
  progressive: boolean
  width: number
  height: number
  /** Largest sampling factors. */
  mostH: number
  mostV: number
  /** Minimal coded units of an interleaved scan. */
  unitsX: number
  unitsY: number
  /** Luma first. */
  components: Component[]
}

/** Numbers of the components that give the luma, by the kind of colour. */
const NEEDED = { grey: [0], ycc: [0], rgb: [0, 1, 2], cmyk: [0, 1, 2, 3], ycck: [0, 3] }

/** The frame of a checked header; `at` is the position after the length of its segment. */
export function readFrame(bytes: Uint8Array, at: number, header: JpegHeader): Frame {
  const { width, height, components: count, frame: marker, colour } = header
  const byte = (offset: number) => bytes[at + offset]!
  const factors = Array.from({ length: count }, (_, i) => ({
    id: byte(6 + 3 * i),
    h: byte(7 + 3 * i) >> 4,
    v: byte(7 + 3 * i) & 15,
    quantisation: byte(8 + 3 * i),
    needed: NEEDED[colour].includes(i),
  }))
  if (factors.some(({ quantisation }) => quantisation > 3)) throw corrupt('a quantisation table number above 3')
  const mostH = Math.max(...factors.map(({ h }) => h))
  const mostV = Math.max(...factors.map(({ v }) => v))
  const progressive = marker === 0xc2
  const unitsX = Math.ceil(width / (8 * mostH))
  const unitsY = Math.ceil(height / (8 * mostV))
  const components = factors.map(
    (f): Component => ({
      ...f,
      blocksX: Math.ceil(Math.ceil((width * f.h) / mostH) / 8),
      blocksY: Math.ceil(Math.ceil((height * f.v) / mostV) / 8),
      paddedX: unitsX * f.h,
      coefficients: new Int16Array(progressive && f.needed ? unitsX * f.h * unitsY * f.v * 64 : 64),
      known: new Int8Array(64).fill(-1),
      dc: 0,
      mostDc: Infinity,
      dcTable: undefined,
      acTable: undefined,
      table: undefined,
    }),
  )
  return { progressive, width, height, mostH, mostV, unitsX, unitsY, components }
}

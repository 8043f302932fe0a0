import { WasmError } from '../errors.js'
import { corrupt, truncated } from './jpeg/corrupt.js'
import { ADOBE, DNL, END, endOfCoded, isFrame, JFIF, nextSegment, SCAN, START, type Segment } from './jpeg/marker.js'
import { kindOf, textKindOf, unsupported } from './kind.js'

/** How the components give a colour. */
export type Colour = 'grey' | 'ycc' | 'rgb' | 'cmyk' | 'ycck'

/** The frame header of a JPEG, and what else decides how it is decoded. */
export interface JpegHeader {
  width: number
  height: number
  /** 1 grey, 3 colour, 4 CMYK. */
  components: number
  /** Start-of-frame marker: 0xC0 baseline, 0xC1 extended, 0xC2 progressive. */
  frame: number
  colour: Colour
  /** CMYK whose values are inverted, as Adobe writes it. */
  inverted: boolean
  /** Position of the start marker: bytes before it (line ends, headers of a multipart stream) are skipped. */
  start: number
  /** Whether libjpeg-turbo gives the luma of this kind. */
  usual: boolean
}

const PROGRESSIVE = 0xc2
/**
 * A progressive picture has about 10 scans. Each is a pass over all coefficients, so many tiny ones would make a small
 * file slow.
 */
const MOST_SCANS = 100
/** Bytes that may stand before the start marker. */
const MOST_BEFORE = 4_096
const ORDINARY = 'save it as an ordinary JPEG (8 bits a sample, Huffman coded)'

/**
 * Parses the segments of a JPEG up to its first scan, without decoding anything. The same rules for all decoders: bytes
 * before the start, between segments and after the end are skipped; an end marker is not required here.
 * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, ALPR_ERR_PICTURE_UNSUPPORTED
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  if (bytes.length === 0) throw new WasmError('ALPR_ERR_FRAME_EMPTY')
  const start = startOf(bytes)
  let frame: Segment | undefined
  let jfif = false
  let adobe: number | undefined
  for (let at = start + 2; ; ) {
    const segment = nextSegment(bytes, at)
    if (!segment || segment.to > bytes.length) throw truncated('in its header')
    const { code, from, to } = segment
    if (code === END) throw corrupt('it holds no picture')
    if (isFrame(code) && !frame) {
      if (to - from < 6) throw corrupt(`a frame header of ${to - from + 2} bytes`)
      frame = segment
    } else if (code === JFIF) jfif ||= tag(bytes, from, 5) === 'JFIF\0'
    else if (code === ADOBE && to - from >= 12 && tag(bytes, from, 5) === 'Adobe') adobe = bytes[from + 11]!
    else if (code === SCAN) {
      if (!frame) throw corrupt('a scan before the frame header')
      return headerOf(bytes, start, frame, { jfif, adobe }, segment)
    }
    at = to
  }
}

/** Position of the start marker. */
function startOf(bytes: Uint8Array): number {
  if (bytes[0] === 0xff && (bytes.length === 1 || bytes[1] === START)) {
    // a start marker that stands twice
    return bytes[2] === 0xff && bytes[3] === START ? 2 : 0
  }
  const kind = kindOf(bytes)
  if (kind !== undefined)
    throw notJpeg(typeof kind === 'string' ? `a picture of kind ${kind.toUpperCase()}` : kind.what)
  const last = Math.min(MOST_BEFORE, bytes.length - 4)
  for (let at = 1; at <= last; at++)
    if (bytes[at] === 0xff && bytes[at + 1] === START && bytes[at + 2] === 0xff && bytes[at + 3]! >= 0xc0) return at
  throw notJpeg(textKindOf(bytes).what)
}

const notJpeg = (what: string): WasmError => new WasmError('ALPR_ERR_FRAME_NOT_JPEG', { what })

function headerOf(
  bytes: Uint8Array,
  start: number,
  { code, from, to }: Segment,
  { jfif, adobe }: { jfif: boolean; adobe: number | undefined },
  scan: Segment,
): JpegHeader {
  const byte = (offset: number) => bytes[from + offset]!
  const bits = byte(0)
  const components = byte(5)
  if (code > PROGRESSIVE)
    throw unsupported({ what: `a JPEG of coding process ${PROCESSES[code & 15]}`, remedy: ORDINARY })
  if (bits !== 8) {
    if (bits === 12) throw unsupported({ what: 'a JPEG of 12 bits a sample', remedy: ORDINARY })
    throw corrupt(`${bits} bits a sample`)
  }
  if (components !== 1 && components !== 3 && components !== 4)
    throw corrupt(`${components} colour components instead of 1, 3 or 4`)
  if (to - from < 6 + 3 * components) throw corrupt(`a frame header of ${to - from + 2} bytes`)
  const factors = Array.from({ length: components }, (_, i) => ({
    id: byte(6 + 3 * i),
    h: byte(7 + 3 * i) >> 4,
    v: byte(7 + 3 * i) & 15,
  }))
  if (factors.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4)) throw corrupt('sampling factors out of range')
  const colour = colourOf(factors, jfif, adobe)
  const stated = byte(1) * 256 + byte(2)
  const height = stated || statedLater(bytes, scan.to)
  const full = factors.every(({ h, v }) => h <= factors[0]!.h && v <= factors[0]!.v)
  const equal = factors.every(({ h, v }) => h === factors[0]!.h && v === factors[0]!.v)
  const complete = code !== PROGRESSIVE || hasAllScans(bytes, scan, factors[0]!.id)
  return {
    width: byte(3) * 256 + byte(4),
    height,
    components,
    frame: code,
    colour,
    inverted: adobe !== undefined,
    start,
    usual: stated > 0 && complete && ((colour === 'rgb' && equal) || colour === 'grey' || (colour === 'ycc' && full)),
  }
}

/** By the low four bits of the frame marker. */
const PROCESSES: Record<number, string> = {
  3: 'lossless',
  5: 'hierarchical',
  6: 'hierarchical, progressive',
  7: 'hierarchical, lossless',
  9: 'arithmetic',
  10: 'arithmetic, progressive',
  11: 'arithmetic, lossless',
  13: 'arithmetic, hierarchical',
  14: 'arithmetic, hierarchical, progressive',
  15: 'arithmetic, hierarchical, lossless',
}

/** The guess that libjpeg makes. */
function colourOf(components: { id: number }[], jfif: boolean, adobe: number | undefined): Colour {
  if (components.length === 1) return 'grey'
  if (components.length === 4) return adobe === undefined || adobe === 0 ? 'cmyk' : 'ycck'
  if (jfif) return 'ycc'
  if (adobe !== undefined) return adobe === 0 ? 'rgb' : 'ycc'
  return String.fromCharCode(...components.map(({ id }) => id)) === 'RGB' ? 'rgb' : 'ycc'
}

/** The height that a DNL segment states behind the first scan, of a frame header without one. */
function statedLater(bytes: Uint8Array, scan: number): number {
  const segment = nextSegment(bytes, endOfCoded(bytes, scan))
  if (segment?.code !== DNL || segment.to > bytes.length) return 0
  return bytes[segment.from]! * 256 + bytes[segment.from + 1]!
}

/**
 * Whether the scans of a progressive JPEG give the luma whole; libjpeg smoothes one that is not.
 * @throws ALPR_ERR_FRAME_CORRUPT on more than MOST_SCANS
 */
function hasAllScans(bytes: Uint8Array, first: Segment, luma: number): boolean {
  const low = new Int8Array(64).fill(-1)
  let scans = 0
  for (let scan: Segment | undefined = first; scan && scan.to <= bytes.length; ) {
    if (scan.code === END) break
    if (scan.code === SCAN) {
      if (++scans > MOST_SCANS) throw corrupt(`more than ${MOST_SCANS} scans`)
      const count = bytes[scan.from]!
      const ids = Array.from({ length: count }, (_, i) => bytes[scan!.from + 1 + 2 * i])
      const [from = 0, to = 0, bits = 0] = bytes.subarray(scan.from + 1 + 2 * count)
      if (ids.includes(luma)) low.fill(bits & 15, from, Math.min(to, 63) + 1)
    }
    scan = nextSegment(bytes, scan.code === SCAN ? endOfCoded(bytes, scan.to) : scan.to)
  }
  return low.every((bit) => bit === 0)
}

const tag = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length))

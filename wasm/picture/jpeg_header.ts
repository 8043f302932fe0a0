import { WasmError } from '../errors.js'
import { corrupt } from './jpeg/corrupt.js'

/** The frame header of a JPEG. */
export interface JpegHeader {
  width: number
  height: number
  /** 1 grey, 3 colour, 4 CMYK. */
  components: number
  /** Start-of-frame marker: 0xC0 baseline, 0xC1 extended, 0xC2 progressive, others lossless or arithmetic. */
  frame: number
}

const MARKER = 0xff
const START = 0xd8
const END = 0xd9
const SCAN = 0xda
const PROGRESSIVE = 0xc2
/**
 * A progressive picture has about 10 scans. Each is a pass over all coefficients, so many tiny ones would make a small
 * file slow.
 */
const MOST_SCANS = 100

/**
 * Parses the markers of a JPEG up to its first scan and checks that an end marker follows, without decoding anything.
 * Bytes after the end marker (padding, trailers) are allowed.
 * @throws ALPR_ERR_FRAME_EMPTY, ALPR_ERR_FRAME_NOT_JPEG, ALPR_ERR_FRAME_TRUNCATED, ALPR_ERR_FRAME_CORRUPT
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  if (bytes.length === 0) throw new WasmError('ALPR_ERR_FRAME_EMPTY')
  if (bytes[0] !== MARKER || (bytes.length > 1 && bytes[1] !== START)) throw new WasmError('ALPR_ERR_FRAME_NOT_JPEG')
  let header: JpegHeader | undefined
  let at = 2
  for (;;) {
    // fill bytes before a marker are legal
    while (at < bytes.length && bytes[at] === MARKER && bytes[at + 1] === MARKER) at++
    if (at + 4 > bytes.length) throw new WasmError('ALPR_ERR_FRAME_TRUNCATED')
    const marker = bytes[at + 1]!
    if (bytes[at] !== MARKER || marker === 0 || marker === END) throw corrupt(`no marker at byte ${at}`)
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      at += 2
      continue
    }
    const length = bytes[at + 2]! * 256 + bytes[at + 3]!
    if (length < 2) throw corrupt(`a segment of ${length} bytes at byte ${at}`)
    if (at + 2 + length > bytes.length) throw new WasmError('ALPR_ERR_FRAME_TRUNCATED')
    if (isFrame(marker)) {
      if (length < 8) throw corrupt(`a frame header of ${length} bytes`)
      const byte = (offset: number) => bytes[at + 4 + offset]!
      header = { height: byte(1) * 256 + byte(2), width: byte(3) * 256 + byte(4), components: byte(5), frame: marker }
    }
    at += 2 + length
    if (marker === SCAN) break
  }
  if (!header) throw corrupt('a scan before the frame header')
  if (!endsProperly(bytes, at)) throw new WasmError('ALPR_ERR_FRAME_TRUNCATED')
  if (header.frame === PROGRESSIVE) checkScans(bytes, at)
  return header
}

/** SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

/** Whether there is an end marker after the start of the first scan; searched from the back, where it usually is. */
function endsProperly(bytes: Uint8Array, scan: number): boolean {
  for (let i = bytes.length - 1; i > scan; i--) if (bytes[i] === END && bytes[i - 1] === MARKER) return true
  return false
}

/** Counts the scans of a progressive JPEG; inside coded data a 0xFF is always followed by 0x00 or a restart marker. */
function checkScans(bytes: Uint8Array, from: number): void {
  let scans = 1
  for (let i = bytes.indexOf(MARKER, from); i >= 0 && i + 1 < bytes.length; i = bytes.indexOf(MARKER, i + 1)) {
    if (bytes[i + 1] === SCAN && ++scans > MOST_SCANS) throw corrupt(`more than ${MOST_SCANS} scans`)
  }
}

/** Second bytes of the markers; the first is always 0xFF. */
export const MARKER = 0xff
export const START = 0xd8
export const END = 0xd9
export const SCAN = 0xda
export const DQT = 0xdb
export const DNL = 0xdc
export const DRI = 0xdd
export const DHT = 0xc4
export const JFIF = 0xe0
export const ADOBE = 0xee

/** SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
export const isFrame = (code: number): boolean =>
  code >= 0xc0 && code <= 0xcf && code !== DHT && code !== 0xc8 && code !== 0xcc

/** RST0 to RST7. */
export const isRestart = (code: number): boolean => code >= 0xd0 && code <= 0xd7

/** Markers that no segment follows: TEM, restarts, start and end. */
const standsAlone = (code: number): boolean => code === 0x01 || isRestart(code) || code === START || code === END

/** Markers of T.81; others between segments are garbage, as a marker with 0x00 is coded data. */
const isKnown = (code: number): boolean => (code >= 0xc0 && code <= 0xef) || code === 0xfe || code === 0x01

/** A marker and its segment. */
export interface Segment {
  code: number
  /** Position of the first 0xFF of the marker, fill bytes included. */
  marker: number
  /** First byte after the length, and after the segment. For a marker that stands alone both follow it. */
  from: number
  to: number
}

/**
 * The next segment at or after `at`. Bytes that are no marker are skipped: cameras put padding between segments.
 * @returns undefined at the end of the file; a segment that the file's end cuts has its `to` behind it
 */
export function nextSegment(bytes: Uint8Array, at: number): Segment | undefined {
  for (let i = bytes.indexOf(MARKER, at); i >= 0; i = bytes.indexOf(MARKER, i + 1)) {
    const marker = i
    while (bytes[i + 1] === MARKER) i++
    const code = bytes[i + 1]
    if (code === undefined) return undefined
    if (!isKnown(code)) continue
    if (standsAlone(code)) return { code, marker, from: i + 2, to: i + 2 }
    if (i + 4 > bytes.length) return { code, marker, from: i + 4, to: bytes.length + 1 }
    const length = bytes[i + 2]! * 256 + bytes[i + 3]!
    if (length < 2) continue
    return { code, marker, from: i + 4, to: i + 2 + length }
  }
  return undefined
}

/** Position of the next marker in coded data, where 0xFF 0x00 is a byte and restart markers may stand. */
export function endOfCoded(bytes: Uint8Array, at: number): number {
  for (let i = bytes.indexOf(MARKER, at); i >= 0; i = bytes.indexOf(MARKER, i + 1)) {
    const code = bytes[i + 1]
    if (code === undefined) break
    if (code !== 0 && code !== MARKER && !isRestart(code)) return i
  }
  return bytes.length
}

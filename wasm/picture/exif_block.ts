import { nextSegment, SCAN } from './jpeg/marker.js'

const APP1 = 0xe1
const EXIF = 0x45786966

/** A range of bytes. */
export interface Block {
  from: number
  to: number
}

/** The EXIF block (a TIFF structure) of a JPEG, PNG or WebP, by its container's own place for it. */
export function exifBlock(bytes: Uint8Array, kind: 'jpeg' | 'png' | 'webp'): Block | undefined {
  if (kind === 'jpeg') return ofJpeg(bytes)
  const chunk = chunks(bytes, kind).find(({ type }) => type === (kind === 'png' ? 'eXIf' : 'EXIF'))
  if (!chunk) return undefined
  // some writers put JPEG's prefix into a WebP
  const prefixed = chunk.to - chunk.from >= 6 && viewOf(bytes).getUint32(chunk.from) === EXIF
  return { from: chunk.from + (prefixed ? 6 : 0), to: chunk.to }
}

/** A copy of a PNG or WebP without its EXIF, for a decoder that would turn the picture, or not, as it likes. */
export function withoutExif(bytes: Uint8Array, kind: 'png' | 'webp'): Uint8Array {
  const chunk = chunks(bytes, kind).find(({ type }) => type === (kind === 'png' ? 'eXIf' : 'EXIF'))
  if (!chunk) return bytes
  const from = chunk.from - 8
  const to = Math.min(bytes.length, kind === 'png' ? chunk.to + 4 : chunk.to + ((chunk.to - chunk.from) & 1))
  const rest = new Uint8Array(bytes.length - (to - from))
  rest.set(bytes.subarray(0, from))
  rest.set(bytes.subarray(to), from)
  if (kind === 'webp') {
    viewOf(rest).setUint32(4, rest.length - 8, true)
    // the extended header announces it
    if (tagAt(rest, 12) === 'VP8X') rest[20]! &= ~0x08
  }
  return rest
}

function ofJpeg(bytes: Uint8Array): Block | undefined {
  const view = viewOf(bytes)
  for (let at = 2; ; ) {
    const segment = nextSegment(bytes, at)
    if (!segment || segment.code === SCAN || segment.to > bytes.length) return undefined
    const { code, from, to } = segment
    if (code === APP1 && to - from >= 14 && view.getUint32(from) === EXIF && view.getUint16(from + 4) === 0)
      return { from: from + 6, to }
    at = to
  }
}

interface Chunk extends Block {
  type: string
}

/** The chunks of a PNG or WebP that are whole. */
function chunks(bytes: Uint8Array, kind: 'png' | 'webp'): Chunk[] {
  const view = viewOf(bytes)
  const found: Chunk[] = []
  const png = kind === 'png'
  for (let at = png ? 8 : 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(png ? at : at + 4, !png)
    const from = at + 8
    const to = from + length
    if (to > bytes.length) break
    found.push({ type: tagAt(bytes, png ? at + 4 : at), from, to })
    at = png ? to + 4 : to + (length & 1)
  }
  return found
}

const tagAt = (bytes: Uint8Array, at: number): string => String.fromCharCode(...bytes.subarray(at, at + 4))
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

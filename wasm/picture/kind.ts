import { WasmError } from '../errors.js'

/** Kinds of files that are read; by content, never by name. */
export type PictureKind = 'jpeg' | 'png' | 'webp' | 'tiff' | 'gif' | 'avif' | 'bmp'

/** A file that is not read: what it is, with its article, and what to do. */
export interface OtherKind {
  what: string
  remedy: string
}

/** The file's first bytes are looked at, at most this many. */
const LOOKED_AT = 4_096

const CONVERT = 'convert it to JPEG first'
const SAVE = 'save the picture itself, as JPEG'
const FRAMES = 'import it as a video'

/** Files with fixed first bytes. `at` is where they stand. */
const MAGICS: [magic: string, kind: PictureKind | OtherKind, at?: number][] = [
  ['\xff\xd8', 'jpeg'],
  ['\x89PNG\r\n\x1a\n', 'png'],
  ['GIF87a', 'gif'],
  ['GIF89a', 'gif'],
  ['II\x2a\0\x10\0\0\0CR', { what: 'a raw photo (CR2)', remedy: CONVERT }],
  ['II\x2a\0', 'tiff'],
  ['MM\0\x2a', 'tiff'],
  ['II\x2b\0', 'tiff'],
  ['MM\0\x2b', 'tiff'],
  ['BM', 'bmp'],
  ['IIRO', { what: 'a raw photo (ORF)', remedy: CONVERT }],
  ['IIU\0', { what: 'a raw photo (RW2)', remedy: CONVERT }],
  ['FUJIFILMCCD-RAW', { what: 'a raw photo (RAF)', remedy: CONVERT }],
  ['\xff\x0a', { what: 'a JPEG XL picture', remedy: CONVERT }],
  ['\0\0\0\x0cJXL ', { what: 'a JPEG XL picture', remedy: CONVERT }],
  ['\0\0\0\x0cjP  ', { what: 'a JPEG 2000 picture', remedy: CONVERT }],
  ['\xff\x4f\xff\x51', { what: 'a JPEG 2000 picture', remedy: CONVERT }],
  ['8BPS', { what: 'a Photoshop file', remedy: CONVERT }],
  ['qoif', { what: 'a QOI picture', remedy: CONVERT }],
  ['\0\0\x01\0', { what: 'an icon (ICO)', remedy: CONVERT }],
  ['%PDF', { what: 'a PDF document', remedy: 'extract the picture from it' }],
  ['%!PS', { what: 'a PostScript document', remedy: CONVERT }],
  ['PK\x03\x04', { what: 'a ZIP archive', remedy: 'unpack it first' }],
  ['\x1f\x8b', { what: 'a gzip file', remedy: 'unpack it first (gunzip)' }],
  ['\x28\xb5\x2f\xfd', { what: 'a Zstandard file', remedy: 'unpack it first (unzstd)' }],
  ['BZh', { what: 'a bzip2 file', remedy: 'unpack it first (bunzip2)' }],
  ['\xfd7zXZ', { what: 'an xz file', remedy: 'unpack it first (unxz)' }],
  ['7z\xbc\xaf\x27\x1c', { what: 'a 7-Zip archive', remedy: 'unpack it first' }],
  ['Rar!', { what: 'a RAR archive', remedy: 'unpack it first' }],
  ['ustar', { what: 'a tar archive', remedy: 'unpack it first' }, 257],
  ['\x1aE\xdf\xa3', { what: 'a Matroska video', remedy: FRAMES }],
  ['\0\0\x01\xba', { what: 'an MPEG video', remedy: FRAMES }],
  ['\0\0\x01\xb3', { what: 'an MPEG video', remedy: FRAMES }],
  ['DHAV', { what: 'a Dahua video', remedy: FRAMES }],
  ['FLV\x01', { what: 'a Flash video', remedy: FRAMES }],
  ['OggS', { what: 'an Ogg video', remedy: FRAMES }],
  ['\x89MCAP0\r\n', { what: 'a feed (MCAP)', remedy: 'replay it' }],
  ['\x7fELF', { what: 'a program', remedy: SAVE }],
  ['SQLite format 3\0', { what: 'an SQLite database', remedy: SAVE }],
]

/** Brands of ISO media files ("ftyp"); what is not named here is a video. */
const BRANDS: Record<string, PictureKind | OtherKind> = {
  avif: 'avif',
  avis: 'avif',
  ...Object.fromEntries(
    ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'mif1', 'msf1'].map((brand) => [
      brand,
      { what: 'a HEIC photo', remedy: `${CONVERT} (on an iPhone: Settings, Camera, Formats, Most Compatible)` },
    ]),
  ),
  'crx ': { what: 'a raw photo (CR3)', remedy: CONVERT },
}

/** What a file is, by its first bytes; undefined when they are nothing that is known. */
export function kindOf(bytes: Uint8Array): PictureKind | OtherKind | undefined {
  const head = latin1(bytes.subarray(0, LOOKED_AT))
  for (const [magic, kind, at = 0] of MAGICS) if (head.startsWith(magic, at)) return kind
  if (head.startsWith('RIFF')) {
    if (head.startsWith('WEBP', 8)) return 'webp'
    return head.startsWith('AVI ', 8)
      ? { what: 'an AVI video', remedy: FRAMES }
      : { what: 'a RIFF file that is no WebP', remedy: SAVE }
  }
  if (head.startsWith('ftyp', 4)) return isoMedia(bytes, head)
  if (/^P[1-7]\s/.test(head)) return { what: 'a PBM, PGM or PPM picture', remedy: CONVERT }
  return undefined
}

/** What a file of text is, for files that are none of `kindOf`. */
export function textKindOf(bytes: Uint8Array): OtherKind {
  let head = latin1(bytes.subarray(0, LOOKED_AT))
  if (/^(\xff\xfe|\xfe\xff)/.test(head)) head = head.slice(2).replaceAll('\0', '')
  head = head.replace(/^\xef\xbb\xbf/, '').trimStart()
  if (/^data:/i.test(head)) return { what: 'a data URI', remedy: 'decode the Base64 after its comma first' }
  if (/^(<!doctype html|<html|<head|<body)/i.test(head))
    return { what: 'an HTML page', remedy: `the server sent a page instead of a picture; ${SAVE}` }
  if (head.startsWith('<') && /<svg[\s>]/i.test(head)) return { what: 'an SVG drawing', remedy: 'it is not a photo' }
  if (/^<\?xml|^<[a-z]+[\s>]/i.test(head)) return { what: 'an XML document', remedy: SAVE }
  if (/^[{[]/.test(head) && /["\]}]/.test(head)) return { what: 'a JSON document', remedy: SAVE }
  if (/^version https:\/\/git-lfs/.test(head))
    return { what: 'a pointer of Git LFS', remedy: 'fetch the file itself (git lfs pull)' }
  if (head.length >= 64 && /^[A-Za-z0-9+/=_\s-]+$/.test(head) && !/[a-z] [a-z]/.test(head))
    return { what: 'Base64 text', remedy: 'decode it first (base64 -d)' }
  if (head.length === 0 || /^\0+$/.test(head))
    return { what: 'blank (nothing but zeros or blanks)', remedy: 'copy the picture again' }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what no text holds
  if (!/[\x00-\x08\x0e-\x1a]/.test(head)) return { what: 'a text file', remedy: SAVE }
  return { what: 'no known kind of picture', remedy: SAVE }
}

/** @returns the error that says what the file is and what to do */
export const unsupported = ({ what, remedy }: OtherKind, cause?: unknown): WasmError =>
  new WasmError('ALPR_ERR_PICTURE_UNSUPPORTED', { what, remedy }, { cause })

function isoMedia(bytes: Uint8Array, head: string): PictureKind | OtherKind {
  const length = Math.min(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), head.length)
  const brands = [head.slice(8, 12)]
  for (let at = 16; at + 4 <= length; at += 4) brands.push(head.slice(at, at + 4))
  // a HEIF container of AVIF names it among its compatible brands
  const known = brands.map((brand) => BRANDS[brand]).filter((kind) => kind !== undefined)
  return known.includes('avif') ? 'avif' : (known[0] ?? { what: 'an MP4 or QuickTime video', remedy: FRAMES })
}

const latin1 = (bytes: Uint8Array): string => {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

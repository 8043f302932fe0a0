/** The source of a picture file's capture time. */
export type TimeSource = 'name' | 'exif' | 'mtime'

/** Digits in a name that give a time before 1990 or after 2100 are not a time. */
const EARLIEST = Date.UTC(1990, 0, 1)
const LATEST = Date.UTC(2100, 0, 1)

/**
 * Year, month, day, T or another separator, hour, minute, second, fraction of a second, and Z or an offset, with or
 * without separators.
 */
const CIVIL_TIME = new RegExp(
  String.raw`(?<!\d)(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})([T_ .-]?)(\d{2})[-_:.h]?(\d{2})[-_:.m]?(\d{2})` +
    String.raw`(?:[.,](\d{1,9})(?!\d)|[-_]?(\d{3})(?!\d))?(?:(Z)|([+-])(\d{2})([:.-]?)(\d{2})(?!\d))?`,
)

/** Largest offset from UTC, hours. */
const MOST_OFFSET = 14

/**
 * A time in a file name: `20260501_083000`, `2026-05-01T08.30.00.250Z`,
 * `2026-05-01T08:30:00.25+0200`, `IMG_20260501083000123`, or ms or s since 1970
 * (`1777624200000`).
 * @param zoneMinutes offset from UTC, positive to the east, for names that do not have one
 * @returns ms since 1970 UTC, or undefined
 */
export function timeFromName(name: string, zoneMinutes: number): number | undefined {
  const civil = CIVIL_TIME.exec(name)
  if (civil) {
    const [, year, month, day, separator, hour, minute, second, fraction = '0', ms, utc, sign, ...offset] = civil
    const zone = utc ? 0 : (offsetOf(sign, offset as string[], separator === 'T') ?? zoneMinutes)
    const millis = ms === undefined ? Math.floor(Number(`0.${fraction}`) * 1_000) : Number(ms)
    const time = civilTime([...[year, month, day, hour, minute, second].map(Number), millis], zone)
    if (time !== undefined) return time
  }
  const epoch = /(?<!\d)(\d{13}|\d{10})(?!\d)/.exec(name)
  const time = epoch ? Number(epoch[1]) * (epoch[1]!.length === 10 ? 1_000 : 1) : NaN
  return time >= EARLIEST && time < LATEST ? time : undefined
}

/** Minutes east of UTC. `-0100` is an offset only behind a time with T: elsewhere it is a number of the picture. */
function offsetOf(
  sign: string | undefined,
  [hours = '', separator = '', minutes = '']: string[],
  strict: boolean,
): number | undefined {
  if (sign === undefined || Number(hours) > MOST_OFFSET || Number(minutes) % 15 !== 0 || Number(minutes) > 45)
    return undefined
  if (sign === '-' && !strict && separator !== ':') return undefined
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

function civilTime([year, month, day, hour, minute, second, ms]: number[], zoneMinutes: number): number | undefined {
  const time = Date.UTC(year!, month! - 1, day, hour, minute, second, ms)
  const back = new Date(time)
  // 31 February and hour 25 roll over: such digits are not a time.
  if (back.getUTCMonth() !== month! - 1 || back.getUTCDate() !== day || hour! > 23 || minute! > 59 || second! > 59)
    return undefined
  const moved = time - zoneMinutes * 60_000
  return moved >= EARLIEST && moved < LATEST ? moved : undefined
}

const DATE_TIME_ORIGINAL = 0x9003
const OFFSET_TIME_ORIGINAL = 0x9011
const SUBSEC_TIME_ORIGINAL = 0x9291
const EXIF_IFD = 0x8769

/**
 * DateTimeOriginal of an EXIF block (TIFF, with or without the leading `Exif\0\0`). Accepts any bytes.
 * @param zoneMinutes offset from UTC, positive to the east, for blocks that do not have one
 * @returns ms since 1970 UTC, or undefined
 */
export function timeFromExif(exif: Uint8Array, zoneMinutes: number): number | undefined {
  const bytes = Buffer.from(exif.buffer, exif.byteOffset, exif.byteLength)
  const tiff = bytes.subarray(0, 6).toString('latin1') === 'Exif\0\0' ? bytes.subarray(6) : bytes
  const order = tiff.subarray(0, 2).toString('latin1')
  if (tiff.length < 8 || (order !== 'II' && order !== 'MM')) return undefined
  const little = order === 'II'
  const u16 = (at: number) => (at + 2 <= tiff.length ? (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at)) : 0)
  const u32 = (at: number) => (at + 4 <= tiff.length ? (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at)) : 0)

  const texts = asciiTags(tiff, u16, u32)
  const date = /^(\d{4}):(\d{2}):(\d{2}) (\d{2}):(\d{2}):(\d{2})$/.exec(texts.get(DATE_TIME_ORIGINAL) ?? '')
  if (!date) return undefined
  const ms = Number(`0.${/^\d+$/.exec(texts.get(SUBSEC_TIME_ORIGINAL) ?? '')?.[0] ?? '0'}`) * 1_000
  const offset = /^([+-])(\d{2}):(\d{2})$/.exec(texts.get(OFFSET_TIME_ORIGINAL) ?? '')
  const zone = offset ? (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3])) : zoneMinutes
  return civilTime([...date.slice(1).map(Number), Math.floor(ms)], zone)
}

type ReadNumber = (at: number) => number

/** The short ASCII values of IFD0 and the EXIF IFD, by tag. @param u16, u32 numbers of the block, 0 beyond its end */
function asciiTags(tiff: Buffer, u16: ReadNumber, u32: ReadNumber): Map<number, string> {
  const texts = new Map<number, string>()
  let exifIfd = 0
  // IFD0 points to the EXIF IFD. Both are read once, so a cycle of pointers does no harm.
  for (const pointer of [() => u32(4), () => exifIfd]) {
    const ifd = pointer()
    if (ifd < 8 || ifd + 2 > tiff.length) continue
    for (let i = 0, count = u16(ifd); i < count && ifd + 2 + 12 * (i + 1) <= tiff.length; i++) {
      const entry = ifd + 2 + 12 * i
      const tag = u16(entry)
      const length = u32(entry + 4)
      if (tag === EXIF_IFD) exifIfd = u32(entry + 8)
      if (u16(entry + 2) !== 2 || length > 64) continue // ASCII only
      const at = length <= 4 ? entry + 8 : u32(entry + 8)
      texts.set(
        tag,
        tiff
          .subarray(at, at + length)
          .toString('latin1')
          .replace(/\0.*$/s, '')
          .trim(),
      )
    }
  }
  return texts
}

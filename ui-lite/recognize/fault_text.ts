import type { RecognitionFault } from './worker_protocol.js'

/** Explains to a person why a picture could not be read. */
export function faultText({ code, message, details }: RecognitionFault): string {
  const { width, height, limit, what, value, reason, remedy } = details
  switch (code) {
    case 'ALPR_ERR_FRAME_EMPTY':
      return 'The file is empty.'
    case 'ALPR_ERR_FRAME_TRUNCATED':
      return 'The picture ends too early, and no plate is in what is there: it was cut off when it was saved or copied.'
    case 'ALPR_ERR_FRAME_TOO_SMALL':
      return `The picture is too small: ${width} × ${height} pixels. Each side needs at least ${limit}.`
    case 'ALPR_ERR_FRAME_TOO_LARGE':
      return `The picture is too large: ${count(value)} ${UNIT[String(what)] ?? what}. The limit is ${count(limit)}.`
    case 'ALPR_ERR_FRAME_CORRUPT':
      return `The picture is damaged, and no plate is in what is left of it (${reason}).`
    case 'ALPR_ERR_PICTURE_UNSUPPORTED':
      return `This is ${what}, which is not read here: ${remedy}.`
    case undefined:
      return `Something went wrong: ${message}.`
    default:
      return `${message}.`
  }
}

/** Unit of each thing that can be too large. */
const UNIT: Record<string, string> = { side: 'pixels on one side', pixels: 'pixels', bytes: 'bytes' }

const count = (value: unknown): string => (typeof value === 'number' ? value.toLocaleString('en') : String(value))

import type { Fault } from './worker_protocol.js'

/** What to tell a person about a picture that could not be read. */
export function sayFault({ code, message, details }: Fault): string {
  switch (code) {
    case 'ALPR_ERR_FRAME_EMPTY':
      return 'The file is empty.'
    case 'ALPR_ERR_FRAME_TRUNCATED':
      return 'The picture ends too early: it was cut short when it was stored or copied.'
    case 'ALPR_ERR_FRAME_TOO_SMALL':
      return `The picture is too small: ${details.width} × ${details.height} pixels. Each side needs at least ${details.limit}.`
    case 'ALPR_ERR_FRAME_TOO_LARGE':
      return `The picture is too large: ${count(details.value)} ${LARGE[String(details.what)] ?? details.what}. The limit is ${count(details.limit)}.`
    case 'ALPR_ERR_FRAME_CORRUPT':
      return `This is no picture that can be read, or it is damaged (${details.reason}).`
    case undefined:
      return `Something went wrong here: ${message}.`
    default:
      return `${message}.`
  }
}

const LARGE: Record<string, string> = { side: 'pixels on one side', pixels: 'pixels', bytes: 'bytes' }

const count = (value: unknown): string => (typeof value === 'number' ? value.toLocaleString('en') : String(value))

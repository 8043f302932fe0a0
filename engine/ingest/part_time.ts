/** Headers in which cameras and their programs say when a picture was taken. */
const NAMES = ['x-timestamp', 'x-capture-time', 'x-captured-at', 'captured-at', 'x-time', 'timestamp', 'x-camera-time']

/** From 2000 to 2100; what is outside counts something else, such as the time since the camera was switched on. */
const EARLIEST_MS = 946_684_800_000
const LATEST_MS = 4_102_444_800_000

/** When a picture was taken by the camera's clock, ms since 1970, as its headers say; undefined when they do not. */
export function timeOfHeaders(headers: Record<string, string | string[] | undefined>): number | undefined {
  for (const name of NAMES) {
    const value = headers[name]
    const time = typeof value === 'string' ? parseTime(value.trim()) : undefined
    if (time !== undefined) return time
  }
  return undefined
}

/** Seconds, milliseconds, microseconds or nanoseconds since 1970, or RFC 3339 with a zone. */
function parseTime(text: string): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) {
    const value = Number(text)
    return [1_000, 1, 1e-3, 1e-6].map((factor) => value * factor).find(isUsual)
  }
  const isDate = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)$/i.test(text)
  const time = isDate ? Date.parse(text.replace(' ', 'T').replace(',', '.')) : NaN
  return isUsual(time) ? time : undefined
}

const isUsual = (time: number): boolean => time >= EARLIEST_MS && time < LATEST_MS

/** Times and durations as text, in the language and time zone of the browser. All values are milliseconds. */
const TIME = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
})
const DATE = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric' })
const ZONE = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' })

/** `14:03:27`, preceded by the date if that is not today. */
export function clockTime(time: number, now: number): string {
  const day = DATE.format(time)
  return day === DATE.format(now) ? TIME.format(time) : `${day}, ${TIME.format(time)}`
}

/** `PST`, `UTC`, `GMT+1`. */
export const timeZone = (time: number): string =>
  ZONE.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? ''

/** A delay or age in one unit: `0.8 s`, `42 s`, `5 min`, `9 h`, `3 d`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)} h`
  return `${Math.round(seconds / 86_400)} d`
}

/** A running time: `1:05`, `1:02:05`. */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes}:${pad(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`
}

const pad = (value: number): string => String(value).padStart(2, '0')

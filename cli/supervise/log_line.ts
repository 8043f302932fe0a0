import { terminalWord } from '../terminal_text.js'

const kLevels: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }
const kOwn = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'err'])

/**
 * Formats a log line of a part for people: `08:30:01 engine   warn  NATS is unavailable url=nats://...`. A line that is
 * not a pino record is kept unchanged after the name of its part.
 */
export function readableLogLine(part: string, line: string): string {
  let record: Record<string, unknown>
  try {
    record = JSON.parse(line) as Record<string, unknown>
    if (typeof record !== 'object' || record === null || typeof record.level !== 'number')
      throw new Error('not a log record')
  } catch {
    return `${clock(Date.now())} ${part.padEnd(8)}       ${terminalWord(line)}`
  }
  const facts = Object.entries(record)
    .filter(([key]) => !kOwn.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  const error = (record.err as { message?: string } | undefined)?.message
  const time = typeof record.time === 'number' ? record.time : Date.parse(String(record.time)) || Date.now()
  const words = [
    `${clock(time)} ${part.padEnd(8)} ${(kLevels[record.level as number] ?? '').padEnd(5)}`,
    record.msg,
    ...facts,
    error,
  ]
    .filter(Boolean)
    .join(' ')
  return terminalWord(words)
}

const clock = (time: number): string => new Date(time).toTimeString().slice(0, 8)

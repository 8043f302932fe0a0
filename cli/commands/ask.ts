import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { InvalidArgumentError, type Command } from 'commander'
import { type ExportEnd, type ExportFormat, fileOf, type QuestionKind, questionList } from '../../engine/mod.js'
import { withRecords, type AccessOptions } from '../access.js'
import { usage } from '../failure.js'
import { interruptSignal } from '../interrupt.js'
import { printJson, printTable, printNote } from '../output.js'
import { cameraId, collect, decimal, oneOf, wholeNumber } from '../parse.js'
import { withSystemOptions } from '../system.js'
import { terminalText } from '../terminal_text.js'

/** Options that set fields of a question. A question offers the options whose fields its input has. */
interface AskOptions extends AccessOptions {
  input?: string
  format: 'table' | 'json' | ExportFormat
  explain?: boolean
  limit?: number
  circle?: object[]
  polygon?: object[]
  camera?: string[]
  from?: string
  to?: string
  daily?: string
  zone?: string
  [field: string]: unknown
}

export function registerAsk(program: Command): void {
  const ask = program
    .command('ask')
    .description('ask about stored reads: who was here, where has this plate been, who was at all three scenes')
  for (const { kind, summary, schema } of questionList()) {
    const command = withSystemOptions(ask.command(kind)).description(summary)
    const fields = new Set(Object.keys(schema.properties))
    if (fields.has('places')) {
      command
        .option('--circle <lat,lon,metres>', 'a circle; repeatable', collect(circle))
        .option(
          '--polygon <lon,lat ...>',
          'corners separated by spaces, longitude first as in GeoJSON; repeatable',
          collect(polygon),
        )
        .option('--camera <id>', 'a camera; repeatable', collect(cameraId))
    }
    if (fields.has('windows')) {
      command
        .option('--from <time>', 'RFC 3339 with zone; included')
        .option('--to <time>', 'RFC 3339 with zone; excluded')
        .option('--daily <hh:mm-hh:mm>', 'only this part of each day', daily)
        .option('--zone <name>', 'IANA time zone for --daily', 'UTC')
    }
    if (fields.has('pattern'))
      command
        .option(
          '--pattern <partial plate>',
          '? one character, * any characters, [8B] one of these, & fragments, ~1 misreads, @CA region',
        )
        .option('--no-look-alikes', 'do not accept 8 for B, 0 for O and so on')
    if (fields.has('plate')) command.option('--plate <plate>', 'spaces, dashes and case do not matter')
    if (fields.has('plates'))
      command
        .option('--plates <file>', 'one plate per line', plateFile)
        .option('--list <id>', 'a hot list instead of plates')
    if (fields.has('regions'))
      command.option(
        '--region <code>',
        'state or country of issue, such as US-CA or DE; repeatable',
        collect((text) => text),
      )
    if (fields.has('direction'))
      command.option(
        '--direction <how>',
        'approaching, leaving, still or unknown',
        oneOf('approaching', 'leaving', 'still', 'unknown'),
      )
    if (fields.has('minConfidence')) command.option('--min-confidence <p>', '0 to 1', decimal(0, 1))
    if (kind === 'history' || kind === 'look-back')
      command.option('--misreads', 'include plates that a camera may have read by mistake')
    if (fields.has('gapS'))
      command
        .option('--gap-s <seconds>', 'largest gap between the two vehicles at one camera', decimal(1, 600))
        .option('--min-meetings <n>', 'minimum number of meetings', wholeNumber(2, 500))
    if (fields.has('entries'))
      command
        .option('--entries <n>', 'number of plates on the list', wholeNumber(0, 5_000_000))
        .option('--threshold <p>', 'repeatable (default: a range of common ones)', collect(decimal(0.001, 1)))
        .option('--reads-per-day <n>', 'traffic (default: the rate of the reads in question)', decimal(0, 1e9))
        .option('--formats-of <code>', 'state or country whose plate formats the list has')
    if (fields.has('readId'))
      command
        .option('--read-id <id>', 'the read', String)
        .option('--ts <time>', 'time of the read, if known')
        .option('--within-s <seconds>', 'time before and after the read', decimal(1, 3_600))
        .option('--radius-m <metres>', 'also other cameras within this distance', decimal(0, 50_000))
    if (fields.has('step'))
      command.option('--step <step>', '1m, 5m, 15m, 1h or 1d', oneOf('1m', '5m', '15m', '1h', '1d'))
    if (fields.has('by')) command.option('--by <how>', 'hour or whole', oneOf('hour', 'whole'))
    if (fields.has('atLeast')) command.option('--at-least <k>', 'minimum number of scenes', wholeNumber(1, 10))
    command
      .option(
        '--input <file>',
        'the question as JSON, as the HTTP API takes it ("-": standard input); options override it',
      )
      .option('--purpose <text>', 'purpose of the access: category and case number')
      .option(
        '--format <how>',
        'table, json (one object per line), csv or geojson',
        oneOf('table', 'json', 'csv', 'geojson'),
        'table' as const,
      )
      .option('--json', 'same as --format json')
      .option('--limit <n>', 'maximum number of rows', wholeNumber(1, 1_000_000))
      .option('--explain', 'print the query plan to standard error')
      .action((options: AskOptions) => answer(kind, fields, options))
  }
  ask.addHelpText(
    'after',
    `
Examples:
  platestream ask canvass --circle 38.752,-121.288,500 --pattern '7?B*' \\
    --from 2026-11-21T21:00:00-08:00 --to 2026-11-21T21:40:00-08:00
  platestream ask history --plate 7ABC123 --misreads --format geojson \\
    --from 2026-03-01T00:00:00Z --to 2026-12-01T00:00:00Z > track.geojson
  platestream ask scenes --input three-scenes.json`,
  )
}

async function answer(kind: QuestionKind, fields: ReadonlySet<string>, options: AskOptions): Promise<void> {
  const signal = interruptSignal()
  const input = inputOf(fields, options)
  const format = options.json ? 'json' : options.format
  await withRecords(options, async (records, access) => {
    if (format === 'csv' || format === 'geojson') {
      const pieces = fileOf(format, kind, records.export(access, kind, input, { signal }))
      for (;;) {
        const piece = await pieces.next()
        if (piece.done) return noteRest(piece.value)
        const text = process.stdout.isTTY ? terminalText(String(piece.value).replaceAll('\r\n', '\n')) : piece.value
        if (!process.stdout.write(text)) await once(process.stdout, 'drain')
      }
    }
    const { items, partial, notes, plan, ...rest } = await records.ask(access, kind, input, { signal })
    if (format === 'json') items.forEach(printJson)
    else if (items.length === 0) printNote('nothing found')
    else table(items as Record<string, unknown>[])
    if (notes) noteNotes(notes, format === 'table')
    if (partial)
      printNote('the answer is partial: the search reached its limit before all plates; make the pattern more specific')
    noteRest(rest)
    if (plan) printNote(JSON.stringify(plan, null, 2))
  })
}

/** Values of the question that no stored read has, and what that most often means. */
const NEVER_SEEN: Record<string, string> = {
  camerasNeverSeen: 'no stored read is of camera {names}: "platestream camera list" shows the registered ones',
  regionsNeverSeen: 'no stored read has region {names}: states of the US are US-CA, US-NY and so on, countries DE, FR',
}

/** Says on standard error what the answer notes. @param all also what explains rows, which JSON has no place for */
function noteNotes(notes: Record<string, unknown>, all: boolean): void {
  const { camerasNeverSeen, regionsNeverSeen, ...rest } = notes
  for (const [name, values] of Object.entries({ camerasNeverSeen, regionsNeverSeen }))
    if (Array.isArray(values)) printNote(NEVER_SEEN[name]!.replace('{names}', values.join(', ')))
  if (all && Object.keys(rest).length > 0) printNote(JSON.stringify(rest))
}

/** Says on standard error that the answer has further rows. */
function noteRest({ next, left }: ExportEnd): void {
  if (next !== undefined)
    printNote(`more rows exist: raise --limit, use --format csv, or continue with --input and "cursor": "${next}"`)
  if (left !== undefined) printNote(`${left} more rows exist: raise --limit, or ask more narrowly`)
}

function inputOf(fields: ReadonlySet<string>, options: AskOptions): Record<string, unknown> {
  const input = options.input === undefined ? {} : readInput(options.input)
  const places = [
    ...(options.circle ?? []),
    ...(options.polygon ?? []),
    ...(options.camera ? [{ cameras: options.camera }] : []),
  ]
  if (places.length > 0) input.places = places
  if (options.from !== undefined || options.to !== undefined) {
    if (options.from === undefined || options.to === undefined) throw usage('give both --from and --to')
    input.windows = [{ from: options.from, to: options.to }]
  }
  if (options.daily !== undefined)
    input.daily = { ...(options.daily as unknown as object), zone: options.zone ?? 'UTC' }
  if (options.region !== undefined) input.regions = options.region
  if (options.threshold !== undefined) input.thresholds = options.threshold
  if (options.formatsOf !== undefined) input.region = options.formatsOf
  if (options.lookAlikes === false) input.lookAlikes = false
  if (options.explain) input.explain = true
  for (const name of [
    'pattern',
    'plate',
    'plates',
    'list',
    'direction',
    'minConfidence',
    'misreads',
    'gapS',
    'minMeetings',
    'entries',
    'readsPerDay',
    'readId',
    'ts',
    'withinS',
    'radiusM',
    'step',
    'by',
    'atLeast',
    'limit',
  ]) {
    if (fields.has(name) && options[name] !== undefined) input[name] = options[name]
  }
  return input
}

function readInput(file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file === '-' ? 0 : file, 'utf8'))
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    throw usage(`--input ${file}: ${(error as Error).message}`)
  }
  throw usage(`--input ${file}: it must contain one JSON object`)
}

/** Prints one column per field; nested values as JSON. */
function table(items: Record<string, unknown>[]): void {
  const flat = items.map((item) =>
    Object.fromEntries(
      Object.entries(item).map(([name, value]) => [
        name,
        Array.isArray(value) || (value !== null && typeof value === 'object') ? JSON.stringify(value) : String(value),
      ]),
    ),
  )
  const head = [...new Set(flat.flatMap(Object.keys))]
  printTable(
    head,
    flat.map((row) => head.map((name) => row[name] ?? '-')),
  )
}

function circle(text: string): object {
  const [lat, lon, radiusM, more] = text.split(',').map(Number)
  if (more !== undefined || ![lat, lon, radiusM].every((one) => Number.isFinite(one)))
    throw new InvalidArgumentError('It must be latitude,longitude,metres.')
  return { circle: { lat, lon, radiusM } }
}

function polygon(text: string): object {
  const corners = text
    .trim()
    .split(/\s+/)
    .map((corner) => corner.split(',').map(Number))
  if (corners.some((corner) => corner.length !== 2 || !corner.every(Number.isFinite)))
    throw new InvalidArgumentError('It must be corners such as "-122.4,37.7 -122.3,37.7 -122.3,37.8".')
  return { polygon: corners }
}

function daily(text: string): { from: string; to: string } {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? []
  if (from === undefined || to === undefined)
    throw new InvalidArgumentError('It must be a time range such as 22:00-02:00.')
  return { from, to }
}

function plateFile(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean)
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be read: ${(error as Error).message}`)
  }
}

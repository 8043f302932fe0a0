import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Command } from 'commander'
import { AlprError, CsvReader, HOUR_MS, parseDay, parseInstant } from '../../engine/runtime/mod.js'
import { loadMatcher } from '../../wasm/load_node.js'
import { Dictionary, parsePattern, PlateBuilder, type PlateMatch, type PlateRow } from '../../wasm/mod.js'
import { printJson } from '../output.js'
import { wholeNumber } from '../parse.js'
import { loadEngine } from '../system.js'

interface MatchOptions {
  plates: string
  limit: number
  lookAlikes: boolean
  json?: boolean
}

export function registerMatch(program: Command): void {
  program
    .command('match')
    .description('find a partial plate in a file of plates; works without a running system')
    .argument('<pattern>', 'the known part of the plate; see below')
    .requiredOption(
      '--plates <file>',
      'text with one plate per line; CSV with the columns plate [region] [count] [first] [last], or as hotlist import',
    )
    .option('--limit <n>', 'maximum number of matches', wholeNumber(1, 10_000), 100)
    .option('--no-look-alikes', 'count look-alikes (8 for B, 0 for O ...) as errors, which need ~')
    .option('--json', 'print one JSON line per match (the only format)')
    .addHelpText(
      'after',
      `
Prints one JSON line per match, best first: most probable, then most recently seen.

  ?      one unknown character             *       any number of characters, including none
  [8B]   one of these; [A-F] a range       ~1 ~2   allows 1 or 2 misread, missing or extra characters
  8BC&12 fragments anywhere, in any order  @US-CA  only this region (@US-CA,US-NV: one of these)

Look-alikes such as 8 and B match each other unless --no-look-alikes. Case, spaces and dashes do not matter.

Examples:
  platestream match '7?B*' --plates plates.txt
  platestream match '*8BC*~1@US-CA' --plates reads.csv --limit 20`,
    )
    .action(async (source: string, options: MatchOptions) => {
      const pattern = parsePattern(source)
      const matcher = await loadMatcher()
      const builder = new PlateBuilder(matcher.module)
      await readPlates(options.plates, builder)
      const dictionary = Dictionary.of(matcher.module, await builder.build(), matcher.confusions)
      for await (const page of dictionary.search(pattern, { limit: options.limit, lookAlikes: options.lookAlikes })) {
        if (page.done) page.matches.forEach((match) => printJson(lineOf(match)))
      }
    })
}

/** Hour 0 means that the file gives no time. */
const timeOf = (hour: number): string | undefined => (hour === 0 ? undefined : new Date(hour * HOUR_MS).toISOString())

const lineOf = ({ plate, region, probability, count, firstHour, lastHour, tolerated }: PlateMatch) => ({
  plate,
  region,
  probability: Number(probability.toPrecision(6)),
  count,
  firstSeen: timeOf(firstHour),
  lastSeen: timeOf(lastHour),
  tolerated,
})

/** @throws ALPR_ERR_PLATES_FILE_INVALID */
async function readPlates(file: string, builder: PlateBuilder): Promise<void> {
  const invalid = (reason: string, cause?: unknown) =>
    new AlprError('ALPR_ERR_PLATES_FILE_INVALID', { file, reason }, { cause })
  try {
    const header = await firstLine(file)
    if (SEEN.test(header)) return await readCsv(file, builder, invalid)
    if (TABLE.test(header)) return await readList(file, builder, invalid)
    let line = 1
    for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      line = checkLines(piece, line, invalid)
      await builder.addLines(piece, 0)
    }
    await builder.endLines(0)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reasons: Record<string, string> = {
      ENOENT: 'the file does not exist',
      EISDIR: 'it is a folder',
      EACCES: 'permission denied',
    }
    if (code !== undefined && code in reasons) throw invalid(reasons[code]!, error)
    throw error
  }
}

/** A header with columns that only a file of reads has. */
const SEEN = /^\s*"?plate"?\s*[,;\t](?:.*[,;\t])?\s*"?(?:count|first|last)\b/i
/** A first line with columns, a title of a list or a header with one column. A blank may be part of a plate. */
const TABLE = /[,;\t|:]|^[\s"]*$|^[\s"]*(?:licen[cs]e|plate|tag|vrm|#|.{13})/i
/** What separates columns, and the zeros of UTF-16: a line with one is not a plate. */
const NOT_IN_A_LINE = [',', ';', '\t', '|', '\0'].map((c) => c.charCodeAt(0))

/** @returns the number of the line that the next piece begins in  @throws for a line with columns: it is not glued */
function checkLines(piece: Buffer, line: number, invalid: (reason: string) => AlprError): number {
  const breaks = (to: number) => {
    let count = 0
    for (let at = piece.indexOf(10); at >= 0 && at < to; at = piece.indexOf(10, at + 1)) count++
    return count
  }
  const found = NOT_IN_A_LINE.map((byte) => piece.indexOf(byte)).filter((at) => at >= 0)
  if (found.length > 0)
    throw invalid(`line ${line + breaks(Math.min(...found))} is not one plate; a file with columns needs a header line`)
  return line + breaks(piece.length)
}

/** Reads the columns that `hotlist import` takes: the plate, and the state or country. */
async function readList(file: string, builder: PlateBuilder, invalid: (reason: string) => AlprError): Promise<void> {
  const { readHotListFile } = await loadEngine()
  try {
    const take = ({ plate, region = '' }: { plate: string; region?: string }) =>
      builder.addRow({ plate, region, count: 1, firstHour: 0, lastHour: 0 })
    await readHotListFile({ file, take })
  } catch (error) {
    if (!(error instanceof AlprError) || error.code !== 'ALPR_ERR_HOTLIST_INVALID') throw error
    const reason = String(error.details.reason)
    const isBare = /no column is the plate/.test(reason)
    throw invalid(isBare ? 'it has columns, but no header line with a name such as plate or license plate' : reason)
  }
}

async function firstLine(file: string): Promise<string> {
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4096), 0, 4096, 0)
    return buffer
      .subarray(0, bytesRead)
      .toString('utf8')
      .replace(/^\uFEFF/, '')
      .split(/\r?\n/)[0]!
  } finally {
    await handle.close()
  }
}

async function readCsv(file: string, builder: PlateBuilder, invalid: (reason: string) => AlprError): Promise<void> {
  const header = await firstLine(file)
  const reader = new CsvReader(/[,;\t]/.exec(header)![0])
  let columns: string[] | undefined
  const take = (records: { line: number; fields: string[] }[]) => {
    for (const { line, fields } of records) {
      if (columns === undefined) {
        columns = fields.map((name) => name.trim().toLowerCase())
        continue
      }
      const field = (name: string) => fields[columns!.indexOf(name)]?.trim() ?? ''
      const row: PlateRow = {
        plate: field('plate'),
        region: field('region').toUpperCase(),
        count: field('count') === '' ? 1 : Number(field('count')),
        firstHour: hourOf(field('first')),
        lastHour: hourOf(field('last') || field('first')),
      }
      if (!Number.isInteger(row.count) || row.count < 0)
        throw invalid(`line ${line}: count "${field('count')}" is not a whole number`)
      if (Number.isNaN(row.firstHour) || Number.isNaN(row.lastHour))
        throw invalid(`line ${line}: the time is not RFC 3339`)
      builder.addRow(row)
    }
  }
  for await (const piece of createReadStream(file)) take(reader.push(piece as Uint8Array))
  take(reader.end())
}

const hourOf = (text: string): number =>
  text === '' ? 0 : Math.floor((parseInstant(text) ?? parseDay(text) ?? NaN) / HOUR_MS)

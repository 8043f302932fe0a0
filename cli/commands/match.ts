import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Command } from 'commander'
import { CsvReader } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'
import { loadMatcher } from '../../wasm/load_node.js'
import { Dictionary, parsePattern, PlateBuilder, type PlateMatch, type PlateRow } from '../../wasm/mod.js'
import { printJson } from '../output.js'
import { wholeNumber } from '../parse.js'

interface MatchOptions {
  plates: string
  limit: number
  lookAlikes: boolean
  json?: boolean
}

const HOUR_MS = 3_600_000

export function registerMatch(program: Command): void {
  program
    .command('match')
    .description('find a partial plate in a file of plates; needs no running system')
    .argument('<pattern>', 'the plate as far as it is known')
    .requiredOption(
      '--plates <file>',
      'text with a plate a line, or CSV with the columns plate [region] [count] [first] [last]',
    )
    .option('--limit <n>', 'best matches wanted', wholeNumber(1, 10_000), 100)
    .option('--no-look-alikes', 'take 8 for B, 0 for O and the like only as the errors that ~ allows')
    .option('--json', 'one JSON line for each match (that is what it always prints)')
    .addHelpText(
      'after',
      `
One JSON line for each match, best first: more probable, then seen later.

  ?      one unknown character             *       any run of characters, also none
  [8B]   one of these; [A-F] a range       ~1 ~2   so many misread, missing or extra characters are allowed
  8BC&12 fragments anywhere, in any order  @US-CA  only of this region (@US-CA,US-NV: of these)

Look-alikes such as 8 and B are always tried. Case, blanks and dashes do not matter.

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

/** Hour 0: the file does not say when. */
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
    if (/^\s*"?plate"?\s*[,;\t]/i.test(header)) return await readCsv(file, builder, invalid)
    for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 }))
      await builder.addLines(piece as Uint8Array, 0)
    await builder.endLines(0)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'this user may not read it',
    }
    if (code !== undefined && code in reasons) throw invalid(reasons[code]!, error)
    throw error
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
        throw invalid(`line ${line}: a time is not RFC 3339`)
      builder.addRow(row)
    }
  }
  for await (const piece of createReadStream(file)) take(reader.push(piece as Uint8Array))
  take(reader.end())
}

const hourOf = (text: string): number => (text === '' ? 0 : Math.floor(Date.parse(text) / HOUR_MS))

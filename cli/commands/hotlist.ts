import { InvalidArgumentError, type Command } from 'commander'
import type { DateOrder, FixedColumn, HotList, HotListFile, HotListHead, ListChange } from '../../engine/mod.js'
import { AlprError, DAY_MS, ENCODINGS, type Encoding } from '../../engine/runtime/mod.js'
import type { PreviewRow } from '../../wasm/mod.js'
import { withPurpose, withRecords } from '../access.js'
import { usage } from '../failure.js'
import { printJson, printLine, printTable, progressBar, printNote } from '../output.js'
import { collect, decimal, listId, oneOf, wholeNumber } from '../parse.js'
import { loadEngine, settingsFor, withNats, withSystemOptions, type SystemOptions } from '../system.js'

/** What a person decides about a list, when they say so. */
type GivenHead = Partial<Omit<HotListHead, 'id'>>

interface ImportListOptions extends SystemOptions, GivenHead {
  list: string
  encoding?: Encoding
  zone?: string
  dates?: DateOrder
  accept?: boolean
  dryRun?: boolean
  plateColumn?: string
  reasonColumn?: string
  regionColumn?: string
  fromColumn?: string
  untilColumn?: string
  delimiter?: string
  fixed?: FixedColumn[]
  header: boolean
  reason?: string
  skipBad?: number | true
  json?: boolean
}

interface SetListOptions extends SystemOptions, Partial<Pick<HotListHead, 'tolerance' | 'threshold' | 'priority'>> {
  json?: boolean
}

interface PreviewOptions extends SystemOptions {
  threshold?: number[]
  days: number
  formatsOf?: string
  purpose?: string
  json?: boolean
}

export function registerHotlist(program: Command): void {
  const hotlist = program.command('hotlist').description('manage hot lists: the plates that reads are matched against')
  registerImport(hotlist)
  registerList(hotlist)
  registerSet(hotlist)
  registerPreview(hotlist)
  registerRemove(hotlist)
}

function registerImport(hotlist: Command): void {
  withSystemOptions(hotlist.command('import'))
    .description('import a hot list from a file; it replaces the list with the same id')
    .argument('<file>', 'CSV with a header row, or fixed-width columns (--fixed)')
    .requiredOption('--list <id>', 'id of the list: a-z, 0-9 and "-"', listId)
    .option('--name <text>', 'display name (default: that of the list it replaces, or else the id)')
    .option('--kind <kind>', 'hot, or special (informational, not shared)', oneOf('hot', 'special'))
    .option(
      '--priority <priority>',
      'high, medium, low or informational (default: as the list it replaces, or else medium)',
      oneOf('high', 'medium', 'low', 'informational'),
    )
    .option('--source <text>', 'origin of the list (default: as the list it replaces, or else local)')
    .option(
      '--tolerance <how>',
      'tolerant: misreads can match; exact: only the plate as read',
      oneOf('tolerant', 'exact'),
    )
    .option(
      '--threshold <p>',
      'minimum probability of a tolerant match that makes a hit (default: as before, or else 0.5)',
      decimal(0.001, 1),
    )
    .option('--plate-column <name>', 'column with the plate (default: plate, license plate, tag ...)')
    .option('--reason-column <name>', 'column with the reason')
    .option('--region-column <name>', 'column with the state or country')
    .option('--from-column <name>', 'column with the first day or time in force')
    .option('--until-column <name>', 'column with the last day in force, or the time at which it ends')
    .option('--delimiter <char>', 'CSV delimiter (default: detected among , ; tab | :)', parseDelimiter)
    .option('--encoding <name>', 'encoding of the file (default: detected)', oneOf(...ENCODINGS))
    .option('--zone <name>', "zone in which days begin and end (default: setting agency.zone, or this machine's)")
    .option('--dates <order>', 'order of dates such as 05/04/2026: mdy or dmy', oneOf('mdy', 'dmy'))
    .option('--no-header', 'the file has no header row; columns are numbers from 1 and the plate is in column 1')
    .option('--fixed <columns>', 'fixed-width columns, e.g. plate=1-8,region=9-10,reason=20-60', parseFixed)
    .option('--reason <text>', 'reason for entries without one')
    .option('--skip-bad [n]', 'skip invalid lines, at most n of them (default: any number)', wholeNumber(0))
    .option('--accept', 'replace the list even if it becomes empty or much smaller, or most lines are invalid')
    .option('--dry-run', 'show what the import would take and change, and change nothing')
    .option('--json', 'print one JSON line')
    .addHelpText(
      'after',
      `
Plates are compared without spaces, dashes and accents. Entries with the same plate are merged. A new list is in force
for vehicles that pass from now on; one that replaces another a second later, and 4 seconds for each million plates.
An import that would shrink the list in force by more than the setting hotlists.maxShrink is refused without --accept.

Examples:
  platestream hotlist import stolen.csv --list stolen --name "Stolen vehicles" --priority high
  platestream hotlist import stolen.csv --list stolen --dry-run
  platestream hotlist import wanted.txt --list wanted --fixed plate=1-8,reason=20-60 --skip-bad 100`,
    )
    .action(importList)
}

async function importList(file: string, options: ImportListOptions): Promise<void> {
  const { list, accept = false, dryRun = false } = options
  const { EntrySorter, findHotList, guardShrink, readHotListFile, saveHotList } = await loadEngine()
  const settings = await settingsFor(options, { 'agency.zone': options.zone })
  const { zone } = settings.agency
  const entries = new EntrySorter(list)
  const bar = progressBar(1, 'bytes', 'ETA {eta_formatted}', options.json)
  const read = await readHotListFile({
    file,
    columns: {
      plate: options.plateColumn,
      reason: options.reasonColumn,
      region: options.regionColumn,
      from: options.fromColumn,
      until: options.untilColumn,
    },
    delimiter: options.delimiter,
    encoding: options.encoding,
    fixed: options.fixed,
    header: options.header,
    zone,
    dates: options.dates,
    reason: options.reason,
    maxBad: options.skipBad === true ? Infinity : (options.skipBad ?? 0),
    take: (entry) => entries.add(entry),
    onProgress: (bytes, total) => bar.update(bytes, {}, total),
  }).finally(() => bar.stop())
  if (!options.json) printFile(read, zone)
  await withNats(options, 'hotlist import', async (connection) => {
    const client = connection.jetstream()
    const head = headOf(list, options, await findHotList(client, list))
    let change: ListChange | undefined
    const check = (found: ListChange) => {
      change = found
      if (!accept) guardShrink(list, found, read, settings.hotlists.maxShrink)
    }
    const record = await saveHotList(client, head, entries, undefined, { check, dryRun })
    const merged = entries.count - record.entries
    const { cutReasons } = entries
    if (options.json) {
      const { entries: _, ...facts } = read
      return printJson({ ...record, ...facts, merged, cutReasons, zone, change, dryRun })
    }
    printLine(
      [
        `list ${record.id}: ${record.entries} plates, version ${record.version}`,
        ...(merged ? [`${merged} merged`] : []),
        ...(cutReasons ? [`${cutReasons} reasons shortened to 1,000 characters`] : []),
        ...(read.bad ? [`${read.bad} invalid lines skipped`] : []),
        ...(read.ended ? [`${read.ended} have ended and make no hits`] : []),
        ...(change && change.before > 0
          ? [`${change.added} added, ${change.removed} removed, ${change.changed} changed`]
          : []),
        ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
      ].join('; '),
    )
  })
}

/** What is decided about a list: what the person says, else what it has, else the usual. */
function headOf(id: string, given: GivenHead, known: HotList | undefined): HotListHead {
  const { name, kind, priority, source, tolerance, threshold } = given
  return {
    id,
    name: name ?? known?.name ?? id,
    kind: kind ?? known?.kind ?? 'hot',
    priority: priority ?? known?.priority ?? 'medium',
    source: source ?? known?.source ?? 'local',
    tolerance: tolerance ?? known?.tolerance ?? 'tolerant',
    threshold: threshold ?? known?.threshold ?? 0.5,
  }
}

/** Says on standard error how the file was understood. */
function printFile({ encoding, columns, headerLine, badLines, bad, shortLines }: HotListFile, zone: string): void {
  const used = columns.flatMap(({ name, as }) => (as ? [`${as} = "${name}"`] : []))
  const left = columns.flatMap(({ name, as }) => (as ? [] : [`"${name}"`]))
  if (used.length > 0) printNote(`columns: ${used.join(', ')}`)
  if (left.length > 0) printNote(`columns left out: ${left.join(', ')}`)
  if (headerLine !== undefined && headerLine > 1) printNote(`the columns are named in line ${headerLine}`)
  if (encoding !== 'utf-8') printNote(`the file is in ${encoding}`)
  if (columns.some(({ as }) => as === 'from' || as === 'until')) printNote(`days begin and end in the zone ${zone}`)
  if (shortLines > 0) printNote(`${shortLines} lines have fewer columns than the header`)
  for (const { line, reason } of badLines.slice(0, 20)) printNote(`line ${line}: ${reason}`)
  if (bad > 20) printNote(`... and ${bad - 20} more`)
}

function registerList(hotlist: Command): void {
  withSystemOptions(hotlist.command('list'))
    .description('list all hot lists')
    .option('--json', 'print one JSON line per list')
    .action((options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'hotlist list', async (connection) => {
        const { listHotLists } = await loadEngine()
        const records = (await listHotLists(connection.jetstream())).map(({ record }) => record)
        if (options.json) records.forEach(printJson)
        else
          printTable(
            ['id', 'plates', 'kind', 'priority', 'version', 'loaded', 'name'],
            records.map((r) => [r.id, r.entries, r.kind, r.priority, r.version, r.loadedAt, r.name]),
          )
      }),
    )
}

function registerSet(hotlist: Command): void {
  withSystemOptions(hotlist.command('set'))
    .description('change how a hot list is matched; its plates stay the same')
    .argument('<id>', 'list', listId)
    .option(
      '--tolerance <how>',
      'tolerant: misreads can match; exact: only the plate as read',
      oneOf('tolerant', 'exact'),
    )
    .option('--threshold <p>', 'minimum probability of a tolerant match that makes a hit', decimal(0.001, 1))
    .option(
      '--priority <priority>',
      'high, medium, low or informational',
      oneOf('high', 'medium', 'low', 'informational'),
    )
    .option('--json', 'print one JSON line')
    .action((id: string, { tolerance, threshold, priority, json, ...options }: SetListOptions) => {
      const change = Object.fromEntries(
        Object.entries({ tolerance, threshold, priority }).filter(([, value]) => value !== undefined),
      )
      if (Object.keys(change).length === 0) throw usage('give --tolerance, --threshold or --priority')
      return withNats(options, 'hotlist set', async (connection) => {
        const { changeHotList } = await loadEngine()
        const record = await changeHotList(connection.jetstream(), id, change)
        if (json) printJson(record)
        else
          printLine(
            `list ${id}: ${record.tolerance}` +
              `${record.tolerance === 'exact' ? '' : `, threshold ${record.threshold}`}, priority ${record.priority}`,
          )
      })
    })
}

function registerPreview(hotlist: Command): void {
  withPurpose(withSystemOptions(hotlist.command('preview')))
    .description('estimate the false hits per day at each threshold, from the size of the list and recent traffic')
    .argument('<id>', 'list', listId)
    .option('--threshold <p>', 'repeatable (default: a range of common ones)', collect(decimal(0.001, 1)))
    .option('--days <n>', 'days of recent reads to estimate the traffic from', wholeNumber(1, 365), 7)
    .option('--formats-of <code>', 'state or country whose plate formats the list has, e.g. US-CA')
    .option('--json', 'print one JSON line per threshold')
    .addHelpText(
      'after',
      `
The estimate assumes that listed plates follow the plate formats and are independent of the traffic. "found" is the
share of passing listed vehicles that give a hit at this threshold.`,
    )
    .action(async (id: string, { threshold, days, formatsOf, purpose, json, ...options }: PreviewOptions) => {
      const { listHotLists } = await loadEngine()
      const record = await withNats(
        options,
        'hotlist preview',
        async (connection) => (await listHotLists(connection.jetstream())).find((one) => one.record.id === id)?.record,
      )
      if (!record) throw new AlprError('ALPR_ERR_HOTLIST_UNKNOWN', { list: id })
      const now = Date.now()
      const input = {
        windows: [{ from: new Date(now - days * DAY_MS).toISOString(), to: new Date(now).toISOString() }],
        entries: record.entries,
        ...(threshold && { thresholds: threshold }),
        ...(formatsOf !== undefined && { region: formatsOf }),
      }
      await withRecords({ ...options, ...(purpose !== undefined && { purpose }) }, async (records, access) => {
        const { items, notes } = await records.ask(access, 'preview', input)
        const rows = items as PreviewRow[]
        if (json) return rows.forEach(printJson)
        if (rows.length === 0) return printNote('no reads in this period, so there is no traffic to estimate from')
        printTable(
          ['threshold', 'false hits per day', 'found'],
          rows.map((row) => [row.threshold, row.falseHitsPerDay.toPrecision(3), row.found.toFixed(3)]),
        )
        printNote(
          `${record.entries} plates, ${Math.round(Number(notes?.readsPerDay))} reads per day; ` +
            `estimated from ${String(notes?.reads)} reads`,
        )
      })
    })
}

function registerRemove(hotlist: Command): void {
  withSystemOptions(hotlist.command('remove'))
    .description('remove a hot list')
    .argument('<id>', 'list', listId)
    .option('--json', 'print one JSON line')
    .action((id: string, options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'hotlist remove', async (connection) => {
        const { removeHotList } = await loadEngine()
        await removeHotList(connection.jetstream(), id)
        if (options.json) printJson({ removed: id })
        else printLine(`list ${id} is removed`)
      }),
    )
}

function parseDelimiter(text: string): string {
  const char = text === '\\t' || text === 'tab' ? '\t' : text
  if (char.length !== 1 || char === '"') throw new InvalidArgumentError('It must be one character, or "tab".')
  return char
}

const COLUMN_NAMES = ['plate', 'reason', 'region', 'from', 'until']

/** Parses `plate=1-8,reason=20-60`: character positions from 1, both included. */
export function parseFixed(text: string): FixedColumn[] {
  const columns = text.split(',').map((part) => {
    const match = /^(\w+)=(\d{1,4})-(\d{1,4})$/.exec(part.trim())
    const [start, end] = [Number(match?.[2]), Number(match?.[3])]
    if (!match || !COLUMN_NAMES.includes(match[1]!) || start < 1 || end < start) {
      throw new InvalidArgumentError(`"${part}" is not a column such as plate=1-8 (${COLUMN_NAMES.join(', ')}).`)
    }
    return { name: match[1] as FixedColumn['name'], start, end }
  })
  if (!columns.some((column) => column.name === 'plate'))
    throw new InvalidArgumentError('The column "plate" is missing.')
  return columns
}

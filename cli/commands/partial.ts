import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import { Option, type Command } from 'commander'
import type { StandingPartial } from '../../engine/mod.js'
import { DAY_MS } from '../../engine/runtime/mod.js'
import { accessGate, accessOf, withPurpose, type AccessOptions } from '../access.js'
import { printJson, printLine, printTable } from '../output.js'
import { decimal, oneOf, parseDuration } from '../parse.js'
import { loadEngine, withNats, withSystemOptions, type SystemOptions } from '../system.js'

interface AddOptions extends SystemOptions {
  reason: string
  case: string
  by?: string
  for: number
  priority: StandingPartial['priority']
  threshold: number
  json?: boolean
}

export function registerPartial(program: Command): void {
  const partial = program
    .command('partial')
    .description('manage standing partial plates: patterns that are matched against live reads, for major crimes')

  withSystemOptions(partial.command('add'))
    .description('watch for a partial plate from now on')
    .argument('<pattern>', 'e.g. "7?B*", "*8BC*~1", "8BC&12"; `platestream match --help` has the syntax')
    .requiredOption('--reason <text>', 'the crime, in words for dispatchers')
    .requiredOption('--case <number>', 'case number')
    .option('--by <name>', 'person who enters it (default: the name of this account)')
    .addOption(
      new Option('--for <time>', 'how long to watch: 12h, 7d; at most 30d')
        .argParser(parseDuration)
        .default(7 * DAY_MS, '7d'),
    )
    .option(
      '--priority <priority>',
      'high, medium, low or informational',
      oneOf('high', 'medium', 'low', 'informational'),
      'high' as const,
    )
    .option('--threshold <p>', 'minimum probability of a match that makes a hit', decimal(0.0001, 1), 0.2)
    .option('--json', 'print one JSON line')
    .action((pattern: string, options: AddOptions) =>
      withNats(options, 'partial add', async (connection) => {
        const { saveStandingPartial } = await loadEngine()
        const now = Date.now()
        const saved = await saveStandingPartial(connection.jetstream(), {
          id: randomBytes(6).toString('hex'),
          pattern,
          reason: options.reason,
          caseNumber: options.case,
          enteredBy: options.by ?? userInfo().username,
          enteredAt: now,
          from: now,
          until: now + options.for,
          priority: options.priority,
          threshold: options.threshold,
        })
        if (options.json) printJson(saved)
        else printLine(`partial ${saved.id} watches for ${saved.pattern} until ${new Date(saved.until).toISOString()}`)
      }),
    )

  withPurpose(withSystemOptions(partial.command('list')))
    .description('list all standing partials')
    .option('--json', 'print one JSON line per partial')
    .action((options: AccessOptions & { json?: boolean }) =>
      withNats(options, 'partial list', async (connection) => {
        const { readPartials } = await loadEngine()
        const [gate, access] = [await accessGate(), await accessOf(options)]
        const partials = await readPartials(gate, access, connection.jetstream())
        if (options.json) partials.forEach(printJson)
        else
          printTable(
            ['id', 'pattern', 'until', 'case', 'by', 'reason'],
            partials.map((p) => [
              p.id,
              p.pattern,
              new Date(p.until).toISOString(),
              p.caseNumber,
              p.enteredBy,
              p.reason,
            ]),
          )
      }),
    )

  withSystemOptions(partial.command('remove'))
    .description('end a standing partial now')
    .argument('<id>', 'id of the partial')
    .option('--json', 'print one JSON line')
    .action((id: string, options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'partial remove', async (connection) => {
        const { removeStandingPartial } = await loadEngine()
        await removeStandingPartial(connection.jetstream(), id)
        if (options.json) printJson({ removed: id })
        else printLine(`partial ${id} is removed`)
      }),
    )
}

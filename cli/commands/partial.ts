import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import {
  listStandingPartials,
  removeStandingPartial,
  saveStandingPartial,
  type StandingPartial,
} from '../../engine/mod.js'
import { printJson, printLine, printTable } from '../output.js'
import { decimal, oneOf, parseDuration } from '../parse.js'
import { withNats, withSystemOptions, type SystemOptions } from '../system.js'

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
    .description('standing partial plates: patterns that watch the live stream for a major crime')

  withSystemOptions(partial.command('add'))
    .description('watch for a partial plate from now on')
    .argument('<pattern>', 'e.g. "7?B*", "*8BC*~1", "8BC&12"; `platestream match --help` has the syntax')
    .requiredOption('--reason <text>', 'the crime, as a dispatcher should read it')
    .requiredOption('--case <number>', 'number of the case')
    .option('--by <name>', 'who enters it (default: the name of this account)')
    .option('--for <time>', 'how long it watches: 12h, 7d; at most 30d', parseDuration, 7 * 86_400_000)
    .option(
      '--priority <priority>',
      'high, medium, low or informational',
      oneOf('high', 'medium', 'low', 'informational'),
      'high' as const,
    )
    .option('--threshold <p>', 'probability from which a read is a hit', decimal(0.0001, 1), 0.2)
    .option('--json', 'one JSON line')
    .action((pattern: string, options: AddOptions) =>
      withNats(options, 'partial add', async (connection) => {
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

  withSystemOptions(partial.command('list'))
    .description('all standing partials')
    .option('--json', 'one JSON line for each')
    .action((options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'partial list', async (connection) => {
        const partials = await listStandingPartials(connection.jetstream())
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
    .option('--json', 'one JSON line')
    .action((id: string, options: SystemOptions & { json?: boolean }) =>
      withNats(options, 'partial remove', async (connection) => {
        await removeStandingPartial(connection.jetstream(), id)
        if (options.json) printJson({ removed: id })
        else printLine(`partial ${id} is removed`)
      }),
    )
}

import type { Command } from 'commander'
import { wholeNumber } from '../parse.js'
import { printJson, printLine } from '../output.js'
import { loadEngine, withNats, withSystemOptions, type SystemOptions } from '../system.js'

interface PartitionsOptions extends SystemOptions {
  json?: boolean
}

/** The engine's bound (settings nats.partitions); its schema loads too slowly for --help. */
const MOST = 64

export function registerPartitions(program: Command): void {
  const partitions = program
    .command('partitions')
    .description('show or change into how many partitions the cameras are divided')
    .addHelpText(
      'after',
      `
One engine at a time works on a partition: more engines than partitions of both entrances have nothing to do. The number
changes while the system runs, without loss.

Examples:
  platestream partitions show
  platestream partitions set 8`,
    )
  withSystemOptions(partitions.command('show'))
    .description('print the number, and whether the NATS server maps publishers to it')
    .option('--json', 'print one JSON line')
    .action((options: PartitionsOptions) => show(options))
  withSystemOptions(partitions.command('set'))
    .description('change the number on the running system')
    .argument('<number>', `1 to ${MOST}`, wholeNumber(1, MOST))
    .option('--json', 'print one JSON line')
    .action((number: number, options: PartitionsOptions) => set(number, options))
}

async function show(options: PartitionsOptions): Promise<void> {
  const { checkPartitions, partitionsNow } = await loadEngine()
  await withNats(options, 'partitions', async (connection, { nats }) => {
    const now = await partitionsNow(connection)
    const { problems } = await checkPartitions(connection)
    if (options.json) return printJson({ ...now, problems })
    printLine(`${now.partitions} partitions`)
    if (now.from !== undefined) printLine(`  changing: ${now.waiting} messages of the earlier streams wait`)
    for (const problem of problems) printLine(`  NATS: ${problem}`)
    if (problems.length > 0) await printMapping(now.partitions, nats.url !== '')
  })
}

async function set(number: number, options: PartitionsOptions): Promise<void> {
  const { changePartitions } = await loadEngine()
  await withNats(options, 'partitions', async (connection, { nats }) => {
    const now = await changePartitions(connection, number, nats)
    if (options.json) return printJson(now)
    if (now.from === undefined) return printLine(`there are ${number} partitions already`)
    printLine(`changing from ${now.from} to ${number}; "platestream partitions show" tells how far it is`)
    if (nats.url) await printMapping(number, true)
  })
}

async function printMapping(partitions: number, isOwnServer: boolean): Promise<void> {
  if (!isOwnServer) return printLine('  "platestream up" maps them within seconds; does it run?')
  const { mappingLines } = await loadEngine()
  printLine('  Put this into the configuration of every NATS server, then reload it (nats-server --signal reload):')
  for (const line of ['mappings {', ...mappingLines(partitions).map((one) => `  ${one}`), '}']) printLine(`    ${line}`)
}

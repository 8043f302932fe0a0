import { spawn } from 'node:child_process'
import { userInfo } from 'node:os'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError, type Command } from 'commander'
import {
  checkRollups,
  dataPaths,
  formOf,
  migrate,
  mondayOf,
  partitionOf,
  purgePictures,
  purgeProofs,
  purgeWeek,
  SCHEMA_VERSION,
  schemaStatements,
  sealWeek,
  WEEK_MS,
} from '../../engine/mod.js'
import { loadSecrets, parseDay } from '../../engine/runtime/mod.js'
import { confirmed } from '../confirm.js'
import { ReportedFailure, usage } from '../failure.js'
import { printJson, printLine } from '../output.js'
import { wholeNumber, withParent } from '../parse.js'
import { settingsFor, withStore, withSystemOptions, type SystemOptions } from '../system.js'

export const STORE_SCRIPT = fileURLToPath(new URL('../../engine/chdb/main.js', import.meta.url))

export function registerStore(program: Command): void {
  const store = withSystemOptions(program.command('store'))
    .description('run the embedded ClickHouse with its HTTP interface ("up" starts one)')
    .addOption(withParent())
    .addHelpText(
      'after',
      `
It listens on loopback only and accepts only the token in the secrets file of the data folder. It prints one JSON line
with its address when it is ready.

Examples:
  platestream store
  PLATESTREAM_CLICKHOUSE_PORT=8123 platestream store --data /var/lib/platestream`,
    )
    .action(async (options: SystemOptions & { withParent?: boolean }) => {
      const settings = await settingsFor(options)
      const paths = dataPaths(settings)
      const args = [
        STORE_SCRIPT,
        '--path',
        paths.store,
        '--port',
        String(settings.clickhouse.port),
        '--max-memory',
        String(settings.clickhouse.maxMemoryBytes),
      ]
      const child = spawn(process.execPath, [...args, ...(options.withParent ? ['--with-parent'] : [])], {
        stdio: 'inherit',
        env: { ...process.env, STORE_TOKEN: loadSecrets(paths.secrets).store },
      })
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
      const code = await new Promise<number>((resolve) => child.once('exit', (c) => resolve(c ?? 1)))
      if (code !== 0) throw new ReportedFailure(code)
    })

  withSystemOptions(store.command('migrate'))
    .description('migrate the schema of the store to the current version, or print the whole schema')
    .option('--print', 'print the statements and change nothing')
    .option(
      '--cluster <name>',
      'schema for a ClickHouse cluster: replicated local tables and Distributed tables (setting clickhouse.cluster)',
      clusterName,
    )
    .option('--json', 'print one JSON line per migration or statement')
    .addHelpText(
      'after',
      `
Engines migrate the schema when they start. Each migration runs once; an interrupted run is continued by the next one.

Examples:
  platestream store migrate
  platestream store migrate --print --cluster plates | clickhouse-client --multiquery`,
    )
    .action(async (own: SystemOptions & { print?: boolean; cluster?: string; json?: boolean }, command: Command) => {
      // The parent command has options of the same names and receives them first.
      const options = { ...command.parent?.opts<SystemOptions>(), ...own }
      const found = await settingsFor(options)
      const settings =
        options.cluster === undefined
          ? found
          : { ...found, clickhouse: { ...found.clickhouse, cluster: options.cluster } }
      const form = formOf(settings)
      const { database } = settings.clickhouse
      if (options.print) {
        for (const statement of schemaStatements(database, form)) {
          if (options.json) printJson({ statement })
          else printLine(`${statement};\n`)
        }
        return
      }
      await withStore(options, async (client) => {
        let steps = 0
        await migrate(client, database, form, (step) => {
          steps++
          if (options.json) printJson(step)
          else printLine(`${step.version}  ${step.name}`)
        })
        if (!options.json)
          printLine(
            steps === 0 ? `the schema is up to date (${SCHEMA_VERSION})` : `the schema is now at ${SCHEMA_VERSION}`,
          )
      })
    })
  registerJobs(store)
}

function registerJobs(store: Command): void {
  withSystemOptions(store.command('check'))
    .description('compare the rollups with the reads, week by week, or rebuild those of past weeks')
    .option('--rebuild', 'rebuild and seal the rollup of each past week, unless it is sealed and correct')
    .option('--json', 'print one JSON line per week')
    .action(async (own: SystemOptions & { rebuild?: boolean; json?: boolean }, command: Command) => {
      const options = { ...command.parent?.opts<SystemOptions>(), ...own }
      await withStore(options, async (client, settings) => {
        const { database } = settings.clickhouse
        for (const state of await checkRollups(client, database)) {
          const over = state.week + WEEK_MS < Date.now()
          const right = state.reads === state.counted
          if (options.rebuild && over && !(right && state.sealed))
            Object.assign(state, {
              reads: await sealWeek(client, database, state.week, formOf(settings)),
              sealed: true,
              counted: undefined,
            })
          const line = { ...state, counted: state.counted ?? state.reads, week: partitionOf(state.week) }
          if (options.json) printJson(line)
          else printLine(`${line.week}  ${line.reads} reads, ${line.counted} counted${line.sealed ? ', sealed' : ''}`)
        }
      })
    })

  withSystemOptions(store.command('purge'))
    .description(
      'delete one week of reads whose retention is over, and their pictures on this machine; ' +
        'reads on hold remain, and a proof is recorded (RET-2, RET-3)',
    )
    .option('--week <monday>', 'Monday of the week, such as 2025-11-17', monday)
    .option('--keep-days <n>', 'minimum number of days that reads are kept', wholeNumber(1, 3_650), 730)
    .option('--reason <text>', 'reason recorded in the proof', 'retention period is over')
    .option('--proofs', 'print the proofs of past purges and delete nothing')
    .option('--yes', 'delete without asking; needed where no terminal can answer')
    .option('--json', 'print one JSON line per proof')
    .action(
      async (
        own: SystemOptions & {
          week?: number
          keepDays: number
          reason: string
          proofs?: boolean
          yes?: boolean
          json?: boolean
        },
        command: Command,
      ) => {
        const options = { ...command.parent?.opts<SystemOptions>(), ...own }
        if (options.week === undefined && !options.proofs) throw usage('give --week or --proofs')
        if (options.week !== undefined && options.proofs)
          throw usage('--week deletes a week and --proofs only shows: give one of them')
        if (options.week !== undefined)
          await confirmed(`delete the reads of the week ${partitionOf(options.week)} and their pictures`, options.yes)
        await withStore(options, async (client, settings) => {
          const { database } = settings.clickhouse
          const proofs =
            options.week === undefined
              ? await purgeProofs(client, database)
              : [
                  await purgeWeek(client, database, options.week, {
                    who: `cli ${userInfo().username}`,
                    reason: options.reason,
                    keepDays: options.keepDays,
                    form: formOf(settings),
                  }),
                ]
          for (const proof of proofs) {
            if (options.json) printJson({ ...proof, week: partitionOf(proof.week) })
            else
              printLine(
                `${partitionOf(proof.week)}  ${proof.readsBefore} reads, ${proof.readsHeld} on hold, ` +
                  `${proof.readsAfter} left; digest ${proof.digest}; ${proof.who}: ${proof.reason}`,
              )
          }
          if (options.week === undefined) return
          const { segments, goneBytes, keptBytes } = await purgePictures(
            client,
            database,
            dataPaths(settings).crops,
            options.week,
          )
          if (!options.json)
            printLine(
              `pictures: ${segments} segments, ${goneBytes} bytes deleted, ${keptBytes} kept for held reads and hits`,
            )
        })
      },
    )
}

function monday(text: string): number {
  const ms = parseDay(text)
  if (ms === undefined || mondayOf(ms) !== ms) throw new InvalidArgumentError('It must be a Monday such as 2025-11-17.')
  return ms
}

/** The name becomes part of DDL, which takes no parameters. */
function clusterName(text: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(text))
    throw new InvalidArgumentError('It must be a name of letters, digits and _ that does not start with a digit.')
  return text
}

import { spawn } from 'node:child_process'
import { userInfo } from 'node:os'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError, type Command } from 'commander'
import {
  checkRollups,
  dataPaths,
  type Form,
  migrate,
  mondayOf,
  partitionOf,
  purgePictures,
  purgeProofs,
  purgeWeek,
  SCHEMA_VERSION,
  schemaStatements,
  sealWeek,
  SINGLE,
  WEEK_MS,
} from '../../engine/mod.js'
import { loadSecrets } from '../../engine/runtime/mod.js'
import { Told, usage } from '../failure.js'
import { printJson, printLine } from '../output.js'
import { wholeNumber, withParent } from '../parse.js'
import { settingsFor, withStore, withSystemOptions, type SystemOptions } from '../system.js'

export const STORE_SCRIPT = fileURLToPath(new URL('../../engine/chdb/main.js', import.meta.url))

export function registerStore(program: Command): void {
  const store = withSystemOptions(program.command('store'))
    .description('run the embedded ClickHouse as a process that speaks its HTTP interface (part of "up")')
    .addOption(withParent())
    .addHelpText(
      'after',
      `
It listens on loopback only and takes only the token of the data folder's secrets file. When it is ready it prints one JSON line with its address.

Examples:
  platestream store
  PLATESTREAM_CLICKHOUSE_PORT=8123 platestream store --data /var/lib/platestream`,
    )
    .action(async (options: SystemOptions & { withParent?: boolean }) => {
      const settings = settingsFor(options)
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
      if (code !== 0) throw new Told(code)
    })

  withSystemOptions(store.command('migrate'))
    .description('bring the schema of the store up to date, step by step; or print what would make it from nothing')
    .option('--print', 'print the statements and change nothing')
    .option(
      '--cluster <name>',
      'the form for a ClickHouse cluster: replicated local tables, and Distributed ones under the plain names',
      clusterName,
    )
    .option('--json', 'one JSON line for each step or statement')
    .addHelpText(
      'after',
      `
The engine does this at its start by itself. Steps run once; a run that is cut short is taken up again by the next.

Examples:
  platestream store migrate
  platestream store migrate --print --cluster plates | clickhouse-client --multiquery`,
    )
    .action(async (own: SystemOptions & { print?: boolean; cluster?: string; json?: boolean }, command: Command) => {
      // The parent has options of the same names, and takes them first.
      const options = { ...command.parent?.opts<SystemOptions>(), ...own }
      const form: Form = options.cluster === undefined ? SINGLE : { kind: 'cluster', cluster: options.cluster }
      const settings = settingsFor(options)
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
            steps === 0 ? `the schema is up to date (${SCHEMA_VERSION})` : `done, the schema is at ${SCHEMA_VERSION}`,
          )
      })
    })
  registerJobs(store)
}

function registerJobs(store: Command): void {
  withSystemOptions(store.command('check'))
    .description('compare the rollups with the reads they are made of, week by week; or make those of past weeks anew')
    .option('--rebuild', 'make the rollup of each week that is over anew and seal it, unless it is sealed and right')
    .option('--json', 'one JSON line for each week')
    .action(async (own: SystemOptions & { rebuild?: boolean; json?: boolean }, command: Command) => {
      const options = { ...command.parent?.opts<SystemOptions>(), ...own }
      await withStore(options, async (client, { clickhouse: { database } }) => {
        for (const state of await checkRollups(client, database)) {
          const over = state.week + WEEK_MS < Date.now()
          const right = state.reads === state.counted
          if (options.rebuild && over && !(right && state.sealed))
            Object.assign(state, {
              reads: await sealWeek(client, database, state.week),
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
      'drop one whole week of reads that need not be kept any more, and their pictures on this machine; held reads stay, and a proof is kept (RET-2, RET-3)',
    )
    .option('--week <monday>', 'its Monday, such as 2025-11-17', monday)
    .option('--keep-days <n>', 'days that reads are kept at least', wholeNumber(1, 3_650), 730)
    .option('--reason <text>', 'for the proof', 'retention period is over')
    .option('--proofs', 'show the proofs of past purges')
    .option('--json', 'one JSON line for each proof')
    .action(
      async (
        own: SystemOptions & { week?: number; keepDays: number; reason: string; proofs?: boolean; json?: boolean },
        command: Command,
      ) => {
        const options = { ...command.parent?.opts<SystemOptions>(), ...own }
        await withStore(options, async (client, settings) => {
          const { database } = settings.clickhouse
          if (options.week === undefined && !options.proofs) throw usage('give --week, or --proofs')
          const proofs =
            options.week === undefined
              ? await purgeProofs(client, database)
              : [
                  await purgeWeek(client, database, options.week, {
                    who: `cli ${userInfo().username}`,
                    reason: options.reason,
                    keepDays: options.keepDays,
                  }),
                ]
          for (const proof of proofs) {
            if (options.json) printJson({ ...proof, week: partitionOf(proof.week) })
            else
              printLine(
                `${partitionOf(proof.week)}  ${proof.readsBefore} reads, ${proof.readsHeld} held, ${proof.readsAfter} left; digest ${proof.digest}; ${proof.who}: ${proof.reason}`,
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
              `pictures: ${segments} segments, ${goneBytes} bytes gone, ${keptBytes} kept for held reads and hits`,
            )
        })
      },
    )
}

function monday(text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN
  if (Number.isNaN(ms) || mondayOf(ms) !== ms) throw new InvalidArgumentError('It must be a Monday such as 2025-11-17.')
  return ms
}

/** It goes into DDL, where parameters cannot. */
function clusterName(text: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(text))
    throw new InvalidArgumentError('It must be a name of letters, digits and _.')
  return text
}

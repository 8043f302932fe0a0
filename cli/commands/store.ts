import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { InvalidArgumentError, type Command } from 'commander'
import { migrate, SCHEMA_VERSION, schemaStatements, SINGLE, type Form } from '../../engine/store/schema.js'
import { loadSecrets } from '../../engine/secrets.js'
import { dataPaths } from '../../engine/settings.js'
import { Told } from '../failure.js'
import { printJson, printLine } from '../output.js'
import { withParent } from '../parse.js'
import { settingsFor, withStore, withSystemOptions, type SystemOptions } from '../system.js'

export const STORE_SCRIPT = fileURLToPath(new URL('../../engine/store/main.js', import.meta.url))

export function registerStore(program: Command): void {
  const store = withSystemOptions(program.command('store'))
    .description('run the embedded ClickHouse as a process that speaks its HTTP interface (part of "up")')
    .addOption(withParent())
    .addHelpText('after', `
It listens on loopback only and takes only the token of the data folder's secrets file. When it is ready it prints one JSON line with its address.

Examples:
  platestream store
  PLATESTREAM_CLICKHOUSE_PORT=8123 platestream store --data /var/lib/platestream`)
    .action(async (options: SystemOptions & { withParent?: boolean }) => {
      const settings = settingsFor(options)
      const paths = dataPaths(settings)
      const args = [STORE_SCRIPT, '--path', paths.store, '--port', String(settings.clickhouse.port), '--max-memory', String(settings.clickhouse.maxMemoryBytes)]
      const child = spawn(process.execPath, [...args, ...(options.withParent ? ['--with-parent'] : [])], {
        stdio: 'inherit', env: { ...process.env, STORE_TOKEN: loadSecrets(paths.secrets).store },
      })
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
      const code = await new Promise<number>((resolve) => child.once('exit', (c) => resolve(c ?? 1)))
      if (code !== 0) throw new Told(code)
    })

  withSystemOptions(store.command('migrate'))
    .description('bring the schema of the store up to date, step by step; or print what would make it from nothing')
    .option('--print', 'print the statements and change nothing')
    .option('--cluster <name>', 'the form for a ClickHouse cluster: replicated local tables, and Distributed ones under the plain names', clusterName)
    .option('--json', 'one JSON line for each step or statement')
    .addHelpText('after', `
The engine does this at its start by itself. Steps run once; a run that is cut short is taken up again by the next.

Examples:
  platestream store migrate
  platestream store migrate --print --cluster plates | clickhouse-client --multiquery`)
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
        if (!options.json) printLine(steps === 0 ? `the schema is up to date (${SCHEMA_VERSION})` : `done, the schema is at ${SCHEMA_VERSION}`)
      })
    })
}

/** It goes into DDL, where parameters cannot. */
function clusterName(text: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(text)) throw new InvalidArgumentError('It must be a name of letters, digits and _.')
  return text
}

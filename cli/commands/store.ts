import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { loadSecrets } from '../../engine/secrets.js'
import { dataPaths } from '../../engine/settings.js'
import { Told } from '../failure.js'
import { withParent } from '../parse.js'
import { settingsFor, withSystemOptions, type SystemOptions } from '../system.js'

export const STORE_SCRIPT = fileURLToPath(new URL('../../engine/store/main.js', import.meta.url))

export function registerStore(program: Command): void {
  withSystemOptions(program.command('store'))
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
}

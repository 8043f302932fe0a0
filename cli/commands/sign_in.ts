import type { Command } from 'commander'
import { dataPaths } from '../../engine/mod.js'
import { AlprError, loadSecrets } from '../../engine/runtime/mod.js'
import { printJson, printLine } from '../output.js'
import { readRunFile } from '../run_file.js'
import { signInAddress } from '../supervise/sign_in_address.js'
import { settingsFor, withSystemOptions, type SystemOptions } from '../system.js'

export function registerSignIn(program: Command): void {
  withSystemOptions(program.command('sign-in'))
    .description('print the address that signs a browser in at the console; it contains the access token')
    .option('--json', 'print address and token as JSON')
    .addHelpText(
      'after',
      `
Only the account that owns the data folder can read the token. "up" prints this address itself on a terminal, and
never into a log.

Examples:
  platestream sign-in
  sudo -u platestream platestream sign-in --data /var/lib/platestream`,
    )
    .action(async (options: SystemOptions & { json?: boolean }) => {
      const settings = await settingsFor(options)
      const paths = dataPaths(settings)
      const url = readRunFile(paths.run)?.console?.url ?? (settings.gateway.publicUrl || undefined)
      if (!url)
        throw new AlprError('ALPR_ERR_USAGE', {
          reason:
            `no system runs on ${settings.dataFolder}: start one with "platestream up", name its folder with --data, ` +
            'or set gateway.publicUrl',
        })
      const secrets = loadSecrets(paths.secrets)
      const address = signInAddress(settings, url, secrets)
      if (options.json) printJson({ address, token: secrets.console })
      else printLine(address)
    })
}

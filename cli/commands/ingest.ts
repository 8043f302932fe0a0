import type { Command } from 'commander'
import { pino } from 'pino'
import { startIngest } from '../../engine/ingest/mod.js'
import { connectNats } from '../../engine/mod.js'
import { codeOf, logErrorOf, reasonOf } from '../../engine/runtime/mod.js'
import { ReportedFailure } from '../failure.js'
import { aborted, exitAtLatest, interruptSignal } from '../interrupt.js'
import { printFailed, printReady } from '../supervise/child.js'
import { findNats, settingsFor, withSystemOptions, type SystemOptions } from '../system.js'
import { withParent } from '../parse.js'

/** Limit of a clean shutdown, ms. */
const kCloseMs = 8_000

interface IngestOptions extends SystemOptions {
  instance?: string
  withParent?: boolean
}

export function registerIngest(program: Command): void {
  withSystemOptions(program.command('ingest'))
    .description('pull the pictures of cameras that have an address ("up" starts one when there are any)')
    .option('--instance <name>', 'unique name of this process (setting ingest.instance)')
    .addOption(withParent())
    .addHelpText(
      'after',
      `
Several ingest processes share the cameras of one NATS. Each needs the credentials of the cameras in its own secrets
file: run "platestream camera add --replace" with the data folder of each machine.

Examples:
  platestream ingest
  NATS_URL=nats://nats:4222 platestream ingest --data /var/lib/platestream --instance edge-2`,
    )
    .action(async (options: IngestOptions) => {
      const ending = interruptSignal(options.withParent)
      try {
        const settings = await settingsFor(options, { 'ingest.instance': options.instance })
        const log = pino(
          { name: 'ingest', level: settings.log.level, serializers: { err: logErrorOf } },
          pino.destination(2),
        )
        const connection = await connectNats({
          ...(await findNats(settings)),
          name: `ingest ${settings.ingest.instance}`,
          log,
          waitOnFirstConnect: true,
          signal: ending,
        })
        const stop = () => process.exit(0)
        ending.addEventListener('abort', stop)
        const ingest = await startIngest(settings, connection, log)
        ending.removeEventListener('abort', stop)
        printReady({ instance: settings.ingest.instance })
        const refused = await Promise.race([aborted(ending), ingest.refused])
        if (refused) log.error({ code: refused.code }, refused.message)
        exitAtLatest(kCloseMs)
        await ingest.close()
        await connection.drain().catch(() => {})
        if (refused) throw refused
        process.exit(0)
      } catch (error) {
        if (ending.aborted) return
        printFailed(codeOf(error), reasonOf(error))
        throw new ReportedFailure(1)
      }
    })
}

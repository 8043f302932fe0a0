import type { Command } from 'commander'
import { pino } from 'pino'
import { connectNats, startEngine } from '../../engine/mod.js'
import { codeOf, logErrorOf, reasonOf } from '../../engine/runtime/mod.js'
import { ReportedFailure } from '../failure.js'
import { aborted, exitAtLatest, interruptSignal } from '../interrupt.js'
import { printFailed, printReady } from '../supervise/child.js'
import { findNats, findStore, settingsFor, withSystemOptions, type SystemOptions } from '../system.js'
import { wholeNumber, withParent } from '../parse.js'

/** Limit of a clean shutdown, ms. The last checkpoint needs NATS and the store, which may be down too. */
const kCloseMs = 15_000

interface EngineOptions extends SystemOptions {
  workers?: number
  instance?: string
  withParent?: boolean
}

export function registerEngine(program: Command): void {
  withSystemOptions(program.command('engine'))
    .description('run one stream engine: frames in, reads and hits out ("up" starts one)')
    .option('--workers <n>', 'recognition threads (setting engine.workers)', wholeNumber(1, 256))
    .option('--instance <name>', 'unique name of this engine (setting engine.instance)')
    .addOption(withParent())
    .addHelpText(
      'after',
      `
Several engines share the partitions of one NATS. An engine waits for NATS and the store without a time limit, and logs
what it waits for. It prints one JSON line when it is running. SIGINT and SIGTERM end it after a last checkpoint.

Examples:
  platestream engine --instance a2
  NATS_URL=nats://nats:4222 CLICKHOUSE_URL=http://clickhouse:8123 platestream engine --workers 8`,
    )
    .action(async (options: EngineOptions) => {
      const ending = interruptSignal(options.withParent)
      try {
        const settings = await settingsFor(options, {
          'engine.workers': options.workers,
          'engine.instance': options.instance,
        })
        const log = pino(
          { name: 'engine', level: settings.log.level, serializers: { err: logErrorOf } },
          pino.destination(2),
        )
        const store = await findStore(settings)
        const connection = await connectNats({
          ...(await findNats(settings)),
          name: `engine ${settings.engine.instance}`,
          log,
          waitOnFirstConnect: true,
          signal: ending,
        })
        // While it waits for a server it holds no state, so it may exit at once.
        const stop = () => process.exit(0)
        ending.addEventListener('abort', stop)
        const engine = await startEngine(settings, connection, store, log)
        ending.removeEventListener('abort', stop)
        const { module, model, workers, partitions } = engine.status()
        printReady({ instance: settings.engine.instance, module, model, workers, partitions })
        const refused = await Promise.race([aborted(ending), engine.refused])
        if (refused) log.error({ code: refused.code }, refused.message)
        exitAtLatest(kCloseMs)
        await engine.close()
        await connection.drain().catch(() => {})
        if (refused) throw refused
      } catch (error) {
        if (ending.aborted) return
        printFailed(codeOf(error), reasonOf(error))
        throw new ReportedFailure(1)
      }
    })
}

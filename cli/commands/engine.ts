import type { Command } from 'commander'
import { pino } from 'pino'
import { connectNats, startEngine } from '../../engine/mod.js'
import { codeOf, reasonOf } from '../../engine/runtime/mod.js'
import { Told } from '../failure.js'
import { aborted, exitAtLatest, interruption } from '../interrupt.js'
import { sayFailed, sayReady } from '../supervise/child.js'
import { findNats, findStore, settingsFor, withSystemOptions, type SystemOptions } from '../system.js'
import { wholeNumber, withParent } from '../parse.js'

/** A last checkpoint needs NATS and the store; when they are gone as well it cannot come, ms. */
const kCloseMs = 15_000

interface EngineOptions extends SystemOptions {
  workers?: number
  instance?: string
  withParent?: boolean
}

export function registerEngine(program: Command): void {
  withSystemOptions(program.command('engine'))
    .description('run one stream engine: frames in, reads and hits out (part of "up")')
    .option('--workers <n>', 'recognition threads (setting engine.workers)', wholeNumber(1, 256))
    .option('--instance <name>', 'name of this engine in the leases (setting engine.instance)')
    .addOption(withParent())
    .addHelpText(
      'after',
      `
Several engines share the partitions of one NATS. It waits for NATS and the store as long as it takes, and says so. When it runs it
prints one JSON line; SIGINT and SIGTERM end it after a last checkpoint.

Examples:
  platestream engine --instance a2
  NATS_URL=nats://nats:4222 CLICKHOUSE_URL=http://clickhouse:8123 platestream engine --workers 8`,
    )
    .action(async (options: EngineOptions) => {
      const ending = interruption(options.withParent)
      try {
        const settings = settingsFor(options, {
          'engine.workers': options.workers,
          'engine.instance': options.instance,
        })
        const log = pino({ name: 'engine', level: settings.log.level }, pino.destination(2))
        const store = findStore(settings)
        const connection = await connectNats({
          ...findNats(settings),
          name: `engine ${settings.engine.instance}`,
          log,
          waitOnFirstConnect: true,
          signal: ending,
        })
        // What waits for a server that is not there has nothing in hand: it ends as it stands.
        const stop = () => process.exit(0)
        ending.addEventListener('abort', stop)
        const engine = await startEngine(settings, connection, store, log)
        ending.removeEventListener('abort', stop)
        const { module, model, workers, partitions } = engine.status()
        sayReady({ instance: settings.engine.instance, module, model, workers, partitions })
        const refused = await Promise.race([aborted(ending), engine.refused])
        if (refused) log.error({ code: refused.code }, refused.message)
        exitAtLatest(kCloseMs)
        await engine.close()
        await connection.drain().catch(() => {})
        if (refused) throw refused
      } catch (error) {
        if (ending.aborted) return
        sayFailed(codeOf(error), reasonOf(error))
        throw new Told(1)
      }
    })
}

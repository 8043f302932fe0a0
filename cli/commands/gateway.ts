import type { Command } from 'commander'
import { dataPaths } from '../../engine/mod.js'
import { codeOf, loadSecrets, reasonOf } from '../../engine/runtime/mod.js'
import { gatewayLog, startGateway } from '../../gateway/mod.js'
import { ReportedFailure } from '../failure.js'
import { aborted, exitAtLatest, interruptSignal } from '../interrupt.js'
import { printFailed, printReady } from '../supervise/child.js'
import { findNats, findStore, settingsFor, withSystemOptions, type SystemOptions } from '../system.js'
import { wholeNumber, withParent } from '../parse.js'

/** Limit of a clean shutdown, ms. */
const kCloseMs = 10_000

interface GatewayCommandOptions extends SystemOptions {
  host?: string
  port?: number
  withParent?: boolean
}

export function registerGateway(program: Command): void {
  withSystemOptions(program.command('gateway'))
    .description('run one gateway: console, HTTP API and WebSocket ("up" starts one)')
    .option('--host <address>', 'address to listen on (setting gateway.host)')
    .option('--port <n>', 'port to listen on, 0 for any free port (setting gateway.port)', wholeNumber(0, 65_535))
    .addOption(withParent())
    .addHelpText(
      'after',
      `
Several gateways can run side by side. A gateway prints one JSON line with its address when it listens.

Examples:
  platestream gateway --port 8480
  NATS_URL=nats://nats:4222 CLICKHOUSE_URL=http://clickhouse:8123 platestream gateway --host 0.0.0.0`,
    )
    .action(async (options: GatewayCommandOptions) => {
      const ending = interruptSignal(options.withParent)
      try {
        const settings = await settingsFor(options, { 'gateway.host': options.host, 'gateway.port': options.port })
        const store = await findStore(settings)
        const gateway = await startGateway(settings, {
          nats: await findNats(settings),
          clickhouse: { url: store.url, password: store.token },
          token: loadSecrets(dataPaths(settings).secrets).console,
          log: gatewayLog(settings.log.level),
        })
        printReady({ url: gateway.url, ...(gateway.pushUrl && { pushUrl: gateway.pushUrl }) })
        await aborted(ending)
        exitAtLatest(kCloseMs)
        await gateway.close()
      } catch (error) {
        printFailed(codeOf(error), portTaken(error) ?? reasonOf(error))
        throw new ReportedFailure(1)
      }
    })
}

function portTaken(error: unknown): string | undefined {
  const { code, address, port } = error as { code?: string; address?: string; port?: number }
  return code === 'EADDRINUSE'
    ? `another program uses port ${port} of ${address}; choose another port with PLATESTREAM_GATEWAY_PORT`
    : undefined
}

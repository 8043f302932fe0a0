import type { Command } from 'commander'
import { dataPaths } from '../../engine/mod.js'
import { codeOf, loadSecrets, reasonOf } from '../../engine/runtime/mod.js'
import { gatewayLog, startGateway } from '../../gateway/mod.js'
import { Told } from '../failure.js'
import { aborted, exitAtLatest, interruption } from '../interrupt.js'
import { sayFailed, sayReady } from '../supervise/child.js'
import { findNats, findStore, settingsFor, withSystemOptions, type SystemOptions } from '../system.js'
import { wholeNumber, withParent } from '../parse.js'

const kCloseMs = 10_000

interface GatewayCommandOptions extends SystemOptions {
  host?: string
  port?: number
  withParent?: boolean
}

export function registerGateway(program: Command): void {
  withSystemOptions(program.command('gateway'))
    .description('run one gateway: console, HTTP API and WebSocket (part of "up")')
    .option('--host <address>', 'address to listen on (setting gateway.host)')
    .option('--port <n>', 'port to listen on, 0 for a free one (setting gateway.port)', wholeNumber(0, 65_535))
    .addOption(withParent())
    .addHelpText(
      'after',
      `
Several gateways may run beside each other. When it listens it prints one JSON line with its address.

Examples:
  platestream gateway --port 8480
  NATS_URL=nats://nats:4222 CLICKHOUSE_URL=http://clickhouse:8123 platestream gateway --host 0.0.0.0`,
    )
    .action(async (options: GatewayCommandOptions) => {
      const ending = interruption(options.withParent)
      try {
        const settings = settingsFor(options, { 'gateway.host': options.host, 'gateway.port': options.port })
        const store = findStore(settings)
        const gateway = await startGateway(settings, {
          nats: findNats(settings),
          clickhouse: { url: store.url, password: store.token },
          token: loadSecrets(dataPaths(settings).secrets).console,
          log: gatewayLog(settings.log.level),
        })
        sayReady({ url: gateway.url })
        await aborted(ending)
        exitAtLatest(kCloseMs)
        await gateway.close()
      } catch (error) {
        sayFailed(codeOf(error), portTaken(error) ?? reasonOf(error))
        throw new Told(1)
      }
    })
}

function portTaken(error: unknown): string | undefined {
  const { code, address, port } = error as { code?: string; address?: string; port?: number }
  return code === 'EADDRINUSE'
    ? `port ${port} of ${address} is taken by another program; choose another one with PLATESTREAM_GATEWAY_PORT`
    : undefined
}

import { pino } from 'pino'
import { CameraRegistry, connectNats, setupNats, type Settings } from '../../engine/mod.js'
import { reasonOf, sleep } from '../../engine/runtime/mod.js'
import { findNats } from '../system.js'
import { Keeper } from './keeper.js'
import { ingestPart, type PartsContext } from './parts.js'

export interface SuperviseIngestOptions {
  settings: Settings
  context: PartsContext
  say: (text: string) => void
  warn: (text: string) => void
  /** Ends the wait for a camera. */
  signal: AbortSignal
}

/** How often the registry is looked at, ms. */
const LOOK_MS = 500
/** Pause after a first start that failed, ms: another ingest process of this name may run. */
const AGAIN_MS = 15_000

/** Starts an ingest process once a camera has an address, and keeps it running. The system is ready without it. */
export function superviseIngest(options: SuperviseIngestOptions): { stop(): Promise<void> } {
  let keeper: Keeper | undefined
  const ended = follow(options, (started) => {
    keeper = started
  }).catch((error: unknown) => options.warn(`live cameras are not pulled: ${reasonOf(error)}`))
  return {
    async stop() {
      await ended
      await keeper?.stop()
    },
  }
}

/** Resolves when the process runs, or `signal` aborts. */
async function follow(
  { settings, context, say, warn, signal }: SuperviseIngestOptions,
  onStarted: (keeper: Keeper) => void,
): Promise<void> {
  const log = pino({ level: 'silent' })
  const nats = await findNats(settings)
  const connection = await connectNats({ ...nats, name: 'up ingest', log, waitOnFirstConnect: true, signal })
  try {
    await setupNats(connection, { ...settings.nats, framesMaxBytes: context.framesMaxBytes })
    const watched = await (await CameraRegistry.open(connection)).watch(log)
    const isWanted = () => [...watched.cameras.values()].some(({ live }) => live !== undefined)
    let said = ''
    while (!signal.aborted) {
      await sleep(LOOK_MS, signal)
      if (signal.aborted || !isWanted()) continue
      const keeper = new Keeper({ ...ingestPart(context), log: warn })
      try {
        await keeper.start()
        onStarted(keeper)
        say('  ingest   ready  pulls the cameras that have an address')
        break
      } catch (error) {
        const reason = reasonOf(error)
        if (reason !== said) warn(`ingest does not start: ${reason}`)
        said = reason
        await sleep(AGAIN_MS, signal)
      }
    }
    watched.stop()
  } finally {
    await connection.close()
  }
}

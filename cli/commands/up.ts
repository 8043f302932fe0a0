import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { pino } from 'pino'
import { connectNats, dataPaths, followPartitions, type Settings, setupNats } from '../../engine/mod.js'
import { loadSecrets, reasonOf } from '../../engine/runtime/mod.js'
import { ensurePrograms } from '../doctor/install.js'
import { aborted, interruptSignal } from '../interrupt.js'
import { bytesText, printJson, printLine, printNote, secondsText } from '../output.js'
import { lockRunFolder, removeRunFile, writeRunFile, type RunFile } from '../run_file.js'
import { hasSample, installDemo, playDemo } from '../supervise/demo.js'
import { framesBound } from '../supervise/frames_bound.js'
import { Keeper, type KeeperOptions } from '../supervise/keeper.js'
import { readableLogLine } from '../supervise/log_line.js'
import { superviseIngest } from '../supervise/ingest_part.js'
import { enginePart, gatewayPart, natsPart, storePart, type PartsContext } from '../supervise/parts.js'
import { consoleAddress, signInAddress } from '../supervise/sign_in_address.js'
import { productVersion } from '../version.js'
import { findNats, settingsFor, withSystemOptions, type SystemOptions } from '../system.js'

interface UpOptions extends SystemOptions {
  demo: boolean
  json?: boolean
  verbose?: boolean
}

export function registerUp(program: Command): void {
  withSystemOptions(program.command('up'))
    .description('start the whole system: NATS, the store, an engine, and the gateway with the console')
    .option('--no-demo', 'do not replay the sample feed on a new data folder')
    .option('--verbose', 'print all log lines of the parts, not only warnings and errors')
    .option('--json', 'print one JSON line when the system is ready, and logs as JSON')
    .addHelpText(
      'after',
      `
On a new data folder it registers the cameras and hot lists of the sample feed and replays the feed as a demo.
With NATS_URL or CLICKHOUSE_URL it uses those servers instead of starting its own, and shows no demo. Ctrl-C stops
everything, also while it starts. On a terminal it prints the address that signs a browser in; elsewhere
"platestream sign-in" does.

Examples:
  platestream up
  platestream up --data /var/lib/platestream --no-demo
  NATS_URL=nats://nats:4222 CLICKHOUSE_URL=http://clickhouse:8123 platestream up`,
    )
    .action((options: UpOptions) => up(options))
}

async function up(options: UpOptions): Promise<void> {
  const ending = interruptSignal()
  const settings = await settingsFor(options)
  const paths = dataPaths(settings)
  const isNew = ![paths.secrets, paths.nats, paths.store].some((path) => existsSync(path))
  const unlock = await lockRunFolder(paths.run)
  const started: Keeper[] = []
  let demo: { stop(): void } | undefined
  let live: { stop(): Promise<void> } | undefined
  const run: RunFile = { pid: process.pid, startedAt: new Date().toISOString() }
  const say = (text: string) => {
    if (!options.json) printLine(text)
  }
  const warn = (text: string) =>
    printNote(options.json ? JSON.stringify({ level: 40, time: Date.now(), name: 'up', msg: text }) : text)
  const onLog = (part: string, line: string) => {
    if (options.json) printNote(line)
    else if (options.verbose || isWarning(line)) printNote(readableLogLine(part, line))
  }
  const start = async (part: Omit<KeeperOptions, 'log'>) => {
    const since = Date.now()
    const keeper = new Keeper({ ...part, log: warn })
    started.push(keeper)
    const { facts } = await keeper.start(ending)
    say(`  ${part.name.padEnd(8)} ready  ${factsText(facts).padEnd(34)} ${secondsText(Date.now() - since)}`)
    return facts
  }

  try {
    say(`Platestream ${productVersion()}, data in ${settings.dataFolder}`)
    const context: PartsContext = {
      settings,
      options,
      secrets: loadSecrets(paths.secrets),
      framesMaxBytes: framesBytes(settings, warn),
      onLog,
    }
    if (!settings.nats.url) {
      await ensurePrograms('start', say)
      const { url } = await start(natsPart(context))
      run.nats = { url: url as string, private: true }
    } else run.nats = { url: settings.nats.url, private: false }
    // Commands that run meanwhile find the servers that are already running.
    writeRunFile(paths.run, run)
    if (run.nats.private) void followMapping(settings, context, ending).catch((error) => warn(reasonOf(error)))
    if (!settings.clickhouse.url) {
      const { url } = await start(storePart(context))
      run.store = { url: url as string, private: true }
    } else run.store = { url: settings.clickhouse.url, private: false }
    writeRunFile(paths.run, run)
    const [, gateway] = await allOrFirstFailure([start(enginePart(context)), start(gatewayPart(context))])
    run.console = { url: gateway!.url as string }
    writeRunFile(paths.run, run)

    if (options.json)
      printJson({
        ready: true,
        pid: process.pid,
        console: consoleAddress(settings, run.console.url),
        nats: run.nats.url,
        store: run.store.url,
        dataFolder: settings.dataFolder,
      })
    live = superviseIngest({ settings, context, say, warn, signal: ending })
    // The token is for the eyes of a person at a terminal, not for a journal.
    say(
      process.stdout.isTTY
        ? `\n  Console:  ${signInAddress(settings, run.console.url, context.secrets)}\n`
        : `\n  Console:  ${consoleAddress(settings, run.console.url)}\n` +
            '  "platestream sign-in" prints the address that signs in.\n',
    )
    const isPrivate = run.nats.private && run.store.private
    if (isNew && isPrivate && options.demo && !ending.aborted)
      demo = await startDemo(settings, options, context, say, warn)
    say('Ctrl-C stops everything.')
    await aborted(ending)
    say('stopping')
  } catch (error) {
    if (!ending.aborted) throw error
    say('stopping')
  } finally {
    demo?.stop()
    await live?.stop()
    // Against the order of the stream: the engine writes its last checkpoint while the store and NATS still run.
    for (const names of [['gateway', 'engine'], ['store'], ['nats']]) {
      await Promise.all(
        started
          .filter((keeper) => names.includes(keeper.name))
          .map((keeper) => keeper.stop().catch((error) => warn(reasonOf(error)))),
      )
    }
    removeRunFile(paths.run)
    unlock()
  }
}

/** Waits for all tasks even when one fails, so that nothing is still starting while the others are stopped. */
async function allOrFirstFailure<T>(tasks: Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(tasks)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  return results.map((result) => (result as PromiseFulfilledResult<T>).value)
}

async function startDemo(
  settings: Settings,
  options: SystemOptions,
  { framesMaxBytes }: PartsContext,
  say: (text: string) => void,
  warn: (text: string) => void,
): Promise<{ stop(): void } | undefined> {
  if (!hasSample()) {
    say('  this build has no sample feed (bench/feeds/sample.mcap), so there is no demo')
    return undefined
  }
  try {
    const connection = await connectNats({ ...(await findNats(settings)), name: 'up', log: pino({ level: 'silent' }) })
    try {
      await setupNats(connection, { ...settings.nats, framesMaxBytes })
      say(`  new data folder: ${await installDemo(connection)}; replaying the sample feed`)
    } finally {
      await connection.close()
    }
    return playDemo(options, (problem) =>
      problem ? warn(`the sample feed stopped: ${problem}`) : say('  the sample feed has ended'),
    )
  } catch (error) {
    warn(`the demo cannot start: ${reasonOf(error)}`)
    return undefined
  }
}

function framesBytes(settings: Settings, warn: (text: string) => void): number {
  const { bytes, free } = framesBound(settings)
  if (bytes < settings.nats.framesMaxBytes)
    warn(
      `only ${bytesText(free)} are free: frames that wait may use ${bytesText(bytes)} ` +
        `instead of ${bytesText(settings.nats.framesMaxBytes)} (nats.framesMaxBytes)`,
    )
  return bytes
}

/** Maps publishers to the stored number of partitions, also when it changes. */
async function followMapping(settings: Settings, context: PartsContext, signal: AbortSignal): Promise<void> {
  const connection = await connectNats({ ...(await findNats(settings)), name: 'up mapping', signal })
  await followPartitions(connection, (partitions) => context.remap?.(partitions), signal)
  await connection.close()
}

/** A warning is level 40 of pino. A line that is not a log record counts as one. */
function isWarning(line: string): boolean {
  const level = /"level":(\d+)/.exec(line)
  return !level || Number(level[1]) >= 40
}

function factsText({ url, workers, module }: Record<string, unknown>): string {
  if (url) return String(url)
  return workers ? `${workers as number} workers, module ${String(module).slice(0, 8)}` : ''
}

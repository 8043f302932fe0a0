import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NatsConnection } from 'nats'
import { inspectFeed } from '../../engine/feeds/mod.js'
import { CameraRegistry, type HotListHead, readHotListFile, saveHotList } from '../../engine/mod.js'
import { reasonOf } from '../../engine/runtime/mod.js'
import type { SystemOptions } from '../system.js'
import { CLI_SCRIPT, systemArguments } from './parts.js'

/** The sample feed of the project. */
export const SAMPLE_FEED = fileURLToPath(new URL('../../../bench/feeds/sample.mcap', import.meta.url))

/** The demo hot lists, as files that `hotlist import` accepts too. */
const LISTS_FOLDER = fileURLToPath(new URL('../../../bench/feeds/hotlists/', import.meta.url))
const DEMO_LISTS: readonly Pick<HotListHead, 'id' | 'name' | 'kind' | 'priority'>[] = [
  { id: 'stolen-vehicles', name: 'Stolen vehicles (demo)', kind: 'hot', priority: 'high' },
  { id: 'be-on-lookout', name: 'Be on the lookout (demo)', kind: 'hot', priority: 'medium' },
  { id: 'special-interest', name: 'Special interest (demo)', kind: 'special', priority: 'informational' },
]

/** Number of times that the sample feed is replayed. */
const kLoops = 5

/**
 * Registers the cameras of the sample feed and imports hot lists with some of its plates.
 * @returns a summary for the user
 */
export async function installDemo(connection: NatsConnection): Promise<string> {
  const registry = await CameraRegistry.open(connection)
  const { cameras } = await inspectFeed(SAMPLE_FEED)
  for (const camera of cameras) await registry.add(camera)
  const lists = DEMO_LISTS.filter(({ id }) => existsSync(join(LISTS_FOLDER, `${id}.csv`)))
  for (const list of lists) {
    const { entries } = await readHotListFile({ file: join(LISTS_FOLDER, `${list.id}.csv`), reason: list.name })
    await saveHotList(
      connection.jetstream(),
      { ...list, source: 'sample feed', tolerance: 'tolerant', threshold: 0.5 },
      entries,
    )
  }
  return `${cameras.length} demo cameras, ${lists.length} demo hot lists`
}

export const hasSample = (): boolean => existsSync(SAMPLE_FEED)

/** Replays the sample feed in the background with event times shifted to now. It ends with this process. */
export function playDemo(options: SystemOptions, ended: (problem: string | undefined) => void): { stop(): void } {
  const args = [
    CLI_SCRIPT,
    'replay',
    SAMPLE_FEED,
    '--with-parent',
    '--json',
    '--speed',
    'original',
    '--loop',
    String(kLoops),
    ...systemArguments(options),
  ]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true })
  let errorOutput = ''
  let stopped = false
  child.stdin.on('error', () => {})
  child.stderr.on('data', (data: Buffer) => {
    errorOutput = (errorOutput + data.toString()).slice(-2_000)
  })
  child.once('error', (error) => ended(reasonOf(error)))
  child.once('exit', (code) => {
    if (!stopped) ended(code === 0 ? undefined : errorOutput.trim().split('\n').at(-1) || `exit code ${code}`)
  })
  return {
    stop: () => {
      stopped = true
      child.kill('SIGTERM')
    },
  }
}

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { NatsConnection } from 'nats'
import { reasonOf } from '../../engine/errors.js'
import { inspectFeed, readAttachment } from '../../engine/feeds/reader.js'
import { CameraRegistry } from '../../engine/frames/registry.js'
import { parseHotList, type HotListEntry } from '../../engine/matching/hotlist.js'
import { listedPlate, saveHotList, type HotListHead } from '../../engine/matching/hotlist_store.js'
import type { SystemOptions } from '../system.js'
import { CLI_SCRIPT, systemArguments } from './parts.js'

/** The feed that comes with the project. */
export const SAMPLE_FEED = fileURLToPath(new URL('../../../bench/feeds/sample.mcap', import.meta.url))

/** Name of the feed's attachment with demo hot lists: a JSON array of `{ id, name, kind, priority, source, entries: [{ plate, reason }] }`. */
export const DEMO_LISTS = 'hotlists.json'

/** How often the sample is played. */
const kLoops = 5

/** What a newcomer needs to see something: the cameras and hot lists of the sample feed. @returns a sentence about it */
export async function installDemo(connection: NatsConnection, file = SAMPLE_FEED): Promise<string> {
  const registry = await CameraRegistry.open(connection)
  const feed = await inspectFeed(file)
  for (const camera of feed.cameras) await registry.add(camera)
  const lists = await demoLists(file)
  for (const { entries, ...head } of lists) await saveHotList(connection.jetstream(), head, entries)
  return `${feed.cameras.length} demo cameras, ${lists.length} demo hot ${lists.length === 1 ? 'list' : 'lists'}`
}

export const hasSample = (): boolean => existsSync(SAMPLE_FEED)

/** Plays the sample in the background, its event time moved to now. It ends with this process. */
export function playDemo(options: SystemOptions, ended: (problem: string | undefined) => void): { stop(): void } {
  const args = [CLI_SCRIPT, 'replay', SAMPLE_FEED, '--with-parent', '--json', '--speed', 'original', '--loop', String(kLoops), ...systemArguments(options)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true })
  let words = ''
  child.stdin.on('error', () => {})
  child.stderr.on('data', (data: Buffer) => { words = (words + data.toString()).slice(-2_000) })
  child.once('error', (error) => ended(reasonOf(error)))
  child.once('exit', (code) => ended(code === 0 ? undefined : words.trim().split('\n').at(-1) || `exit code ${code}`))
  return { stop: () => child.kill('SIGTERM') }
}

async function demoLists(file: string): Promise<(HotListHead & { entries: HotListEntry[] })[]> {
  const beside = file.replace(/\.mcap$/, `.${DEMO_LISTS}`)
  const content = existsSync(beside) ? readFileSync(beside) : await readAttachment(file, DEMO_LISTS)
  if (!content) return []
  const lists = JSON.parse(Buffer.from(content).toString('utf8')) as (Partial<HotListHead> & { entries: { plate: string; reason: string }[] })[]
  return lists.map(({ entries, ...head }) => {
    const { version: _, loadedAt: __, entries: ___, ...checked } = parseHotList({ kind: 'hot', priority: 'medium', ...head, version: '0'.repeat(16), loadedAt: new Date().toISOString(), entries: 0 })
    const normalised = entries.flatMap((entry) => {
      const listed = listedPlate(entry.plate)
      return 'plate' in listed ? [{ ...entry, plate: listed.plate }] : []
    })
    return { ...checked, entries: normalised }
  })
}

import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sleep } from '../../engine/runtime/mod.js'
import type { BenchSystem } from '../system/system.js'
import type { Left } from './collect_garbage.js'

const PROGRAM = new URL('./memory_on_signal.js', import.meta.url).href

/** What makes the processes of a system answer. @param folder an empty one */
export const environmentFor = (folder: string): Record<string, string> => ({
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --import ${PROGRAM}`.trim(),
  BENCH_MEMORY_FOLDER: folder,
})

/** Has the engine collect its garbage. @returns what is left */
export async function engineMemoryLeft(system: BenchSystem, folder: string): Promise<Left> {
  const file = join(folder, `${system.pidOf('engine')}.json`)
  rmSync(file, { force: true })
  process.kill(system.pidOf('engine'), 'SIGUSR2')
  while (!existsSync(file)) await sleep(50)
  return JSON.parse(readFileSync(file, 'utf8')) as Left
}

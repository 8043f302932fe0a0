// Removes compiled files of dist/ whose source is gone: after a move, the old test would still run.
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const PARTS = ['bench', 'cli', 'engine', 'gateway', 'test', 'wasm']
/** Bundles and copies that have no source of the same name (build/ui.mjs, build/wasm.mjs). */
const BUNDLES = new Set(['wasm/browser'])

for (const part of PARTS) {
  const folder = join('dist', part)
  if (!existsSync(folder)) continue
  for (const name of readdirSync(folder, { recursive: true })) {
    const source = join(part, name).match(/^(.*?)\.(?:d\.ts|js(?:\.map)?)$/)?.[1]
    if (source === undefined || BUNDLES.has(source) || existsSync(`${source}.ts`)) continue
    rmSync(join('dist', part, name))
  }
}

// Writes the layout files, then builds every target of asconfig.json into dist/wasm/. The compiler is pinned in
// package-lock.json, so the same sources give the same bytes and the same module id.
import { readFileSync, mkdirSync, copyFileSync, existsSync, readdirSync, statSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { writeLayouts } from '../wasm/layout/generate.mjs'

const asc = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js')
const entries = {
  recognizer: 'wasm/assembly/recognizer/recognizer.ts',
  matcher: 'wasm/assembly/matcher/matcher.ts',
  shrink: 'wasm/assembly/shrinker/shrinker.ts',
}

writeLayouts()
mkdirSync('dist/wasm', { recursive: true })
const sources = readdirSync('wasm/assembly', { recursive: true })
  .map((f) => `wasm/assembly/${f}`)
  .concat('asconfig.json', 'build/kernels_apart.mjs')
const newest = Math.max(...sources.map((f) => statSync(f).mtimeMs))
for (const target of Object.keys(JSON.parse(readFileSync('asconfig.json', 'utf8')).targets)) {
  const out = `dist/wasm/${target}.wasm`
  if (!existsSync(entries[target])) continue
  if (existsSync(out) && statSync(out).mtimeMs > newest) continue
  execFileSync(
    process.execPath,
    [asc, entries[target], '--target', target, '--transform', resolve('build/kernels_apart.mjs')],
    { stdio: 'inherit' },
  )
}
for (const file of ['platestream.psm', 'confusions.json', 'plate_syntax.json'])
  if (existsSync(`wasm/models/${file}`)) copyFileSync(`wasm/models/${file}`, `dist/wasm/${file}`)

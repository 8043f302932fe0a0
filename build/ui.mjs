// Bundles the pages of ui-lite/ into dist/ui-lite/, the flat folder that the gateway serves, and the recognizer library
// for other pages into dist/wasm/browser.js. The WebAssembly module and the model are copied next to the pages.
//
// Each feature is a folder with these files, by name:
//
//     ui-lite/<feature>/page.tsx       -> <feature>.js
//     ui-lite/<feature>/page.css       -> <feature>.css
//     ui-lite/<feature>/*_worker.ts    -> *_worker.js
//     ui-lite/<feature>/*.html, *.svg  -> copied
import { build } from 'esbuild'
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { basename, extname, join } from 'node:path'

const OUT = 'dist/ui-lite'
const options = { bundle: true, minify: true, format: 'esm', target: 'es2022' }

const entryPoints = []
const copied = ['dist/wasm/recognizer.wasm', 'dist/wasm/platestream.psm']
for (const folder of readdirSync('ui-lite', { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
  for (const name of readdirSync(join('ui-lite', folder.name))) {
    const file = join('ui-lite', folder.name, name)
    if (name === 'page.tsx' || name === 'page.css') entryPoints.push({ in: file, out: folder.name })
    else if (name.endsWith('_worker.ts')) entryPoints.push({ in: file, out: basename(name, '.ts') })
    else if (['.html', '.svg'].includes(extname(name))) copied.push(file)
  }
}
const scripts = entryPoints.filter((entry) => !entry.in.endsWith('.css'))
const styles = entryPoints.filter((entry) => entry.in.endsWith('.css'))

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
await build({
  ...options,
  entryPoints: scripts,
  outdir: OUT,
  sourcemap: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
})
await build({ ...options, entryPoints: styles, outdir: OUT })
await build({ ...options, entryPoints: ['wasm/browser.ts'], outfile: 'dist/wasm/browser.js', sourcemap: true })
for (const file of copied) copyFileSync(file, join(OUT, basename(file)))

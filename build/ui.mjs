// Bundles the pages of ui-lite/ into dist/ui-lite/, one folder that the gateway serves as it is, and the recognizer as
// a library for other pages into dist/wasm/browser.js. Module and model lie beside both.
import { build } from 'esbuild'
import { copyFileSync, cpSync, mkdirSync, readdirSync } from 'node:fs'

const options = { bundle: true, minify: true, sourcemap: true, format: 'esm', target: 'es2022' }
const entries = ['pages', 'workers'].flatMap((folder) =>
  readdirSync(`ui-lite/${folder}`)
    .filter((name) => /\.tsx$|_worker\.ts$/.test(name))
    .map((name) => `ui-lite/${folder}/${name}`),
)

mkdirSync('dist/ui-lite', { recursive: true })
await build({
  ...options,
  entryPoints: entries,
  outdir: 'dist/ui-lite',
  entryNames: '[name]',
  jsx: 'automatic',
  jsxImportSource: 'preact',
})
await build({ ...options, entryPoints: ['wasm/browser.ts'], outfile: 'dist/wasm/browser.js' })
cpSync('ui-lite/static', 'dist/ui-lite', { recursive: true })
for (const file of ['recognizer.wasm', 'platestream.psm']) copyFileSync(`dist/wasm/${file}`, `dist/ui-lite/${file}`)

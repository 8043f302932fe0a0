// Bundles the pages of ui-lite/ into dist/ui-lite/, one folder that the gateway serves as it is.
import { build } from 'esbuild'
import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'

mkdirSync('dist/ui-lite', { recursive: true })
const pages = existsSync('ui-lite/pages') ? readdirSync('ui-lite/pages').filter((f) => f.endsWith('.tsx')) : []
if (pages.length > 0) {
  await build({
    entryPoints: pages.map((f) => `ui-lite/pages/${f}`),
    outdir: 'dist/ui-lite',
    bundle: true, minify: true, sourcemap: true, format: 'esm', target: 'es2022',
    jsx: 'automatic', jsxImportSource: 'preact',
  })
}
if (existsSync('ui-lite/static')) cpSync('ui-lite/static', 'dist/ui-lite', { recursive: true })

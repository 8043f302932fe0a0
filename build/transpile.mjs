// Updates the compiled form in dist/ of one source and of everything that it may load, without a type check, which is
// part of `npm run build`. A source is compiled again when it is newer than its output.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { transform } from 'esbuild'
import { reachOf } from './imports.mjs'

const compiled = (file) => join('dist', file).replace(/\.ts$/, '.js')

const isStale = (file) => {
  const out = compiled(file)
  return !existsSync(out) || statSync(out).mtimeMs < statSync(file).mtimeMs
}

/** @returns the path of the compiled file */
export async function transpile(file) {
  const stale = [...reachOf(file).sources].filter((source) => !source.endsWith('.d.ts') && isStale(source))
  await Promise.all(
    stale.map(async (source) => {
      const out = compiled(source)
      const { code, map } = await transform(readFileSync(source, 'utf8'), {
        loader: 'ts',
        format: 'esm',
        target: 'es2022',
        sourcemap: 'external',
        sourcesContent: false,
        sourcefile: relative(dirname(out), source),
        tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, useDefineForClassFields: true } },
      })
      mkdirSync(dirname(out), { recursive: true })
      writeFileSync(`${out}.map`, map)
      writeFileSync(out, `${code}//# sourceMappingURL=${basename(out)}.map\n`)
    }),
  )
  return compiled(file)
}

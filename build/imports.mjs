// Follows the imports of a TypeScript source. Type-only imports do not count: nothing of them is loaded.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'

const STATIC = /^(?:import|export)\s+(?!type\s)(?:([\w*{}\s,$]+?)\s+from\s+)?'([^']+)'/gm
const DYNAMIC = /\bimport\('([^']+)'\)/g
const WORKER = /new URL\('(\.[^']+\.js)', import\.meta\.url\)/g

/** @returns the imports of one source: sources of the project as paths, packages with the names that are imported */
export function importsOf(file) {
  const text = readFileSync(file, 'utf8')
  const sources = []
  const packages = []
  const add = (specifier, names) => {
    if (!specifier.startsWith('.')) packages.push({ name: specifier, names })
    else {
      const path = normalize(join(dirname(file), specifier)).replace(/\.js$/, '.ts')
      if (existsSync(path)) sources.push(path)
    }
  }
  for (const [, clause = '', specifier] of text.matchAll(STATIC)) {
    const names = clause.match(/(?:type\s+)?[\w$]+/g) ?? []
    add(specifier, clause.includes('*') ? ['*'] : names.filter((name) => !/^type\s/.test(name)))
  }
  for (const [, specifier] of text.matchAll(DYNAMIC)) add(specifier, ['*'])
  for (const [, specifier] of text.matchAll(WORKER)) add(specifier, [])
  return { sources, packages }
}

/** @returns everything that loading `file` may load, itself included */
export function reachOf(file, cache = new Map()) {
  const sources = new Set([file])
  const packages = []
  for (const source of sources) {
    if (!cache.has(source)) cache.set(source, importsOf(source))
    const found = cache.get(source)
    packages.push(...found.packages)
    for (const next of found.sources) sources.add(next)
  }
  return { sources, packages }
}

// Writes the constants of the memory layouts from the tables beside this file, for both sides of each module:
// wasm/assembly/<module>/layout.ts (AssemblyScript, all constants, with the drawings) and wasm/<module>/layout.ts (the
// constants that the host uses). Both are checked in; the build runs this first, and a test fails where they differ.
//
//     node wasm/layout/generate.mjs
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import matcher from './matcher.mjs'
import recognizer from './recognizer.mjs'

/**
 * @typedef {object} Section constants that belong together
 * @property {string} about comment of the section
 * @property {'u32' | 'i32' | 'f64'} [type] default u32
 * @property {true | string[]} [host] the constants that the host uses too; default none
 * @property {Record<string, number>} constants
 */

/** The text of each generated file, by its path from the repository's root. */
export function layoutFiles() {
  return Object.fromEntries(
    Object.entries({ matcher, recognizer }).flatMap(([name, table]) => [
      [`wasm/assembly/${name}/layout.ts`, assemblyText(name, table)],
      [`wasm/${name}/layout.ts`, hostText(name, table)],
    ]),
  )
}

function assemblyText(name, { about, sections }) {
  const parts = sections.map(({ about, type = 'u32', constants }) =>
    [
      ...comment(about),
      ...Object.entries(constants).map(([key, value]) => `export const ${key}: ${type} = ${value}`),
    ].join('\n'),
  )
  return [
    `// Generated from wasm/layout/${name}.mjs: edit that file.`,
    comment(about).join('\n'),
    '',
    parts.join('\n\n'),
    '',
  ].join('\n')
}

function hostText(name, { sections }) {
  const lines = sections.flatMap(({ host = [], constants }) =>
    Object.entries(constants)
      .filter(([key]) => host === true || host.includes(key))
      .map(([key, value]) => `export const ${key} = ${value}`),
  )
  return [
    `// Generated from wasm/layout/${name}.mjs: edit that file.`,
    `/** The constants of ${name}.wasm that its host uses; wasm/assembly/${name}/layout.ts has the drawings. */`,
    ...lines,
    '',
  ].join('\n')
}

/** A block comment; a text of one line stays on one line. */
function comment(text) {
  const lines = text.trim().split('\n')
  if (lines.length === 1) return [`/** ${lines[0]} */`]
  return ['/**', ...lines.map((line) => ` * ${line}`.trimEnd()), ' */']
}

/** Writes what differs; files that are up to date keep their time of change, so nothing is compiled again. */
export function writeLayouts() {
  for (const [path, text] of Object.entries(layoutFiles()))
    if (readFileSync(path, 'utf8') !== text) writeFileSync(path, text)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeLayouts()

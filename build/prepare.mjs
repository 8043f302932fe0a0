// `npm ci` builds; npm also runs this when `npx platestream` is called for the first time, and then nothing may have
// changed since.
import { execSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const STAMP = 'dist/.built'
const SOURCES = [
  'asconfig.json',
  'bench',
  'build',
  'cli',
  'engine',
  'gateway',
  'package-lock.json',
  'package.json',
  'test',
  'tsconfig.json',
  'ui-lite',
  'wasm/assembly',
  'wasm/layout',
  'wasm/matcher',
  'wasm/models',
  'wasm/picture',
  'wasm/recognizer',
]

/**
 * Newest change of a file, or of anything in a folder; folders count too, because a deleted file changes only its
 * folder.
 */
function newest(path) {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

const sources = SOURCES.concat(
  readdirSync('wasm')
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('wasm', name)),
)
const started = new Date()
if (!existsSync(STAMP) || Math.max(...sources.map(newest)) > statSync(STAMP).mtimeMs) {
  execSync('npm run build', { stdio: 'inherit' })
  // The time of the start: what was changed while the build ran is newer.
  writeFileSync(STAMP, `${started.toISOString()}\n`)
  utimesSync(STAMP, started, started)
}

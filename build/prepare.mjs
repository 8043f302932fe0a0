// Builds after `npm ci`, unless dist/ is up to date: npm also runs this on the first `platestream`.
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
  'wasm',
]
// Before the build fails with an error that nobody understands.
if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`Platestream needs Node 20 or newer; this is Node ${process.versions.node} (https://nodejs.org)`)
  process.exit(1)
}

/** Training code and data do not affect the build. */
const NOT_BUILT = ['wasm/train']

/** Newest change of a file or of anything in a folder, ms. A folder counts too: a deleted file changes only it. */
function newest(path) {
  if (NOT_BUILT.includes(path)) return 0
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

const started = new Date()
if (!existsSync(STAMP) || Math.max(...SOURCES.map(newest)) > statSync(STAMP).mtimeMs) {
  execSync('npm run build', { stdio: 'inherit' })
  // The start time, so that changes during the build count as newer.
  writeFileSync(STAMP, `${started.toISOString()}\n`)
  utimesSync(STAMP, started, started)
}

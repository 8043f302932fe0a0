// Runs tests when a source changes: the file named, or else every unit test that may load the changed source.
//   npm run test:watch
//   npm run test:watch -- test/engine/passes/vote.test.ts
import { spawn } from 'node:child_process'
import { existsSync, watch } from 'node:fs'
import { join } from 'node:path'
import { transpile } from './transpile.mjs'
import { allTests } from './unit_tests.mjs'

const FOLDERS = ['bench', 'cli', 'engine', 'gateway', 'test', 'wasm']
/** An editor writes a file in several steps, ms. */
const SETTLE_MS = 100

const [only] = process.argv.slice(2)
if (only !== undefined && !existsSync(only)) {
  console.error(`test:watch: ${only} does not exist`)
  process.exit(2)
}
const changed = new Set()
let timer
let running = false

for (const folder of FOLDERS)
  watch(folder, { recursive: true }, (_, name) => {
    if (!name?.endsWith('.ts')) return
    changed.add(join(folder, name))
    clearTimeout(timer)
    timer = setTimeout(run, SETTLE_MS)
  })
console.log(only ? `watching ${only}` : 'watching all unit tests')
if (only) void runFiles([only])

async function run() {
  if (running) return
  running = true
  while (changed.size > 0) {
    const files = [...changed]
    changed.clear()
    const affected = allTests().filter(
      ({ file, reach, reason }) =>
        (only ? file === only : reason === undefined) && files.some((name) => reach.sources.has(name)),
    )
    await runFiles(affected.map(({ file }) => file))
  }
  running = false
}

async function runFiles(files) {
  for (const file of files) {
    const code = await transpile(file).then(runFile, (error) => error.message)
    console.log(code === 0 ? `passed  ${file}` : `FAILED  ${file}${code === 1 ? '' : `: ${code}`}`)
  }
}

/** Runs one file and prints its TAP only when it fails. */
function runFile(out) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', out], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { TAP_TIMEOUT: '300', ...process.env },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    child.once('close', (code) => {
      if (code !== 0) process.stdout.write(output)
      resolve(code)
    })
  })
}

// Runs one test file by its source path, about a second after a change:
//   npm run test:one -- test/engine/passes/vote.test.ts
// The path of a source runs its test: engine/passes/vote.ts runs the same file. Prints TAP; exits with the test's code.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { transpile } from './transpile.mjs'

const [given, ...rest] = process.argv.slice(2)
if (given === undefined) fail('give the path of a test, such as test/engine/passes/vote.test.ts')
const path = relative('.', resolve(given)).replace(/^dist\/(.*)\.js$/, '$1.ts')
const file = path.endsWith('.test.ts') ? path : join('test', path.replace(/\.tsx?$/, '.test.ts'))
if (!existsSync(file)) fail(file === path ? `${file} does not exist` : `${path} has no test: ${file} does not exist`)
const out = await transpile(file)
// The time limit of .taprc, s: a test that runs without tap's runner does not read that file.
const env = { TAP_TIMEOUT: '300', ...process.env }
process.exit(spawnSync(process.execPath, ['--enable-source-maps', out, ...rest], { stdio: 'inherit', env }).status ?? 1)

function fail(reason) {
  console.error(`test:one: ${reason}`)
  process.exit(2)
}

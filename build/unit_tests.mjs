// Finds the unit tests: those whose imports reach nothing that starts a process or a thread, listens, or connects to a
// server, and that do not raise tap's time limit. The rule follows the code, so no list has to be kept.
// `npm run test:unit` runs them; `node build/unit_tests.mjs --list` prints them, `--others` prints the remaining tests
// with the reason.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { reachOf } from './imports.mjs'

/** Packages that a unit test does not reach; where names are given, only these names of the package count. */
const OUTSIDE = {
  'node:child_process': undefined,
  'node:worker_threads': undefined,
  'node:net': ['createServer', 'connect', 'createConnection'],
  'node:http': ['createServer', 'request'],
  'playwright-core': undefined,
  fastify: ['fastify', 'Fastify'],
  ws: ['WebSocket', 'WebSocketServer'],
  nats: ['connect'],
  '@clickhouse/client': ['createClient'],
  chdb: undefined,
  'onnxruntime-node': undefined,
}

/** A test that raises tap's time limit declares itself slow. */
const ASKS_FOR_TIME = /^ *t\.setTimeout\(/m

/** @returns what of `packages` makes a test more than a unit test, or undefined */
function reasonAgainst({ packages }) {
  const found = packages.find(
    ({ name, names }) =>
      name in OUTSIDE &&
      (OUTSIDE[name] === undefined || names.some((one) => one === '*' || OUTSIDE[name].includes(one))),
  )
  return found?.name
}

/** @returns all tests as source paths, each with its reach and the reason why it is no unit test, if there is one */
export function allTests() {
  const cache = new Map()
  return readdirSync('test', { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join('test', name))
    .sort()
    .map((file) => {
      const reach = reachOf(file, cache)
      const slow = ASKS_FOR_TIME.test(readFileSync(file, 'utf8')) ? 'raises the time limit' : undefined
      return { file, reach, reason: reasonAgainst(reach) ?? slow }
    })
}

export const compiled = (file) => join('dist', file).replace(/\.ts$/, '.js')

/**
 * Runs each file as a process of its own, as many at once as there are cores. tap's own runner instruments every file,
 * which takes longer than most unit tests do. @returns whether all passed; the output of those that failed is printed
 */
async function runAll(files) {
  const begun = performance.now()
  const waiting = [...files]
  const failed = []
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { code, output } = await runFile(file)
      if (code === 0) continue
      failed.push(file)
      process.stdout.write(`${output}\n${file} failed\n`)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  const seconds = ((performance.now() - begun) / 1_000).toFixed(0)
  console.log(`${files.length - failed.length} files passed, ${failed.length} failed, in ${seconds} s`)
  return failed.length === 0
}

function runFile(file) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [compiled(file)])
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data) => {
        output += data
      })
    child.once('close', (code) => resolve({ code, output }))
  })
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const tests = allTests()
  const units = tests.filter(({ reason }) => reason === undefined).map(({ file }) => file)
  if (process.argv.includes('--list')) for (const file of units) console.log(file)
  else if (process.argv.includes('--others')) {
    for (const { file, reason } of tests.filter(({ reason }) => reason)) console.log(`${file}  ${reason}`)
  } else process.exitCode = (await runAll(units)) ? 0 : 1
}

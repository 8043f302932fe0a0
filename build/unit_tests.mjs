// Finds the unit tests: those whose imports reach nothing that starts a process or a thread, listens, or connects to a
// server, and that do not raise tap's time limit. The rule follows the code, so no list has to be kept.
// `npm run test:unit` runs them; `node build/unit_tests.mjs --list` prints them, `--others` prints the remaining tests
// with the reason.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
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

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const tests = allTests()
  const units = tests.filter(({ reason }) => reason === undefined).map(({ file }) => file)
  if (process.argv.includes('--list')) for (const file of units) console.log(file)
  else if (process.argv.includes('--others')) {
    for (const { file, reason } of tests.filter(({ reason }) => reason)) console.log(`${file}  ${reason}`)
  } else {
    const args = ['tap', ...process.argv.slice(2), ...units.map(compiled)]
    process.exitCode = spawnSync('npx', args, { stdio: 'inherit' }).status ?? 1
  }
}

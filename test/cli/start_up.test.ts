import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { run } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-start-up-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Records the package of every module that a process loads, one per line. */
const HOOKS = `
import { appendFileSync } from 'node:fs'
let file
export async function initialize(data) { file = data.file }
export async function load(url, context, next) {
  const name = /.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1]
  if (name) appendFileSync(file, name + '\\n')
  return next(url, context)
}`

/** Names of the packages that a command loads. */
async function packagesOf(...args: string[]): Promise<Set<string>> {
  const file = join(folder, `${args.join('-')}.txt`)
  const hooks = `data:text/javascript,${encodeURIComponent(HOOKS)}`
  const preload = join(folder, 'preload.mjs')
  writeFileSync(file, '')
  writeFileSync(
    preload,
    `import { register } from 'node:module'
register(${JSON.stringify(hooks)}, { data: { file: process.env.LOADED } })`,
  )
  const { code } = await run(args, { env: { NODE_OPTIONS: `--import ${preload}`, LOADED: file } })
  t.equal(code, 0, args.join(' '))
  return new Set(readFileSync(file, 'utf8').split('\n').filter(Boolean))
}

for (const command of ['recognize', 'camera', 'hotlist', 'dead', 'match'])
  t.test(`${command} --help loads no client of a server and no schema compiler`, async (t) => {
    const packages = await packagesOf(command, '--help')
    t.ok(packages.has('commander'), 'packages are recorded')
    for (const name of ['nats', '@clickhouse/client', 'chdb', '@mcap/core', 'fastify', 'ajv'])
      t.notOk(packages.has(name), `does not load ${name}`)
  })

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { argumentsOf, isRunning } from '../../engine/process.js'
import { CLI, environment, run } from './run.js'

interface Up {
  child: ChildProcess
  facts: { pid: number; console: string; nats: string; store: string }
  log: string[]
}

const folder = mkdtempSync(join(tmpdir(), 'platestream-up-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
const env = { PLATESTREAM_GATEWAY_PORT: '0', PLATESTREAM_ENGINE_WORKERS: '1' }

const up = (data: string): Promise<Up> => new Promise((resolve, reject) => {
  const child = spawn(process.execPath, [CLI, 'up', '--data', data, '--no-demo', '--json'], { env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => { child.kill('SIGTERM') })
  const log: string[] = []
  createInterface({ input: child.stderr! }).on('line', (line) => log.push(line))
  createInterface({ input: child.stdout! }).once('line', (line) => resolve({ child, facts: JSON.parse(line) as Up['facts'], log }))
  child.once('exit', (code) => reject(new Error(`up ended with ${code}: ${log.join('\n')}`)))
})
/** Processes that have the data folder in their arguments. */
const partsOf = (data: string): { pid: number; what: string }[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
  .map((pid) => ({ pid, args: argumentsOf(pid) }))
  .filter(({ pid, args }) => isRunning(pid) && args.some((arg) => arg.includes(data)))
  .map(({ pid, args }) => ({ pid, what: args.find((arg) => ['engine', 'gateway', 'up'].includes(arg)) ?? (args[0]!.includes('nats') ? 'nats' : 'store') }))
const eventually = async (holds: () => boolean | Promise<boolean>, limitMs = 60_000) => {
  for (const until = Date.now() + limitMs; Date.now() < until;) {
    if (await holds()) return true
    await new Promise((r) => setTimeout(r, 100))
  }
  return false
}
const isReady = async ({ console: address }: Up['facts']) => {
  const answer = await fetch(new URL('/readyz', address)).catch(() => undefined)
  return answer?.ok ?? false
}

t.test('up starts everything, keeps it running, and ends it', async (t) => {
  const data = join(folder, 'one')
  const { child, facts, log } = await up(data)
  t.match(facts, { ready: true, pid: child.pid, console: /^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{64}$/, nats: /^nats:\/\/127\.0\.0\.1:\d+$/, store: /^http:\/\/127\.0\.0\.1:\d+$/ })
  t.ok(await eventually(() => isReady(facts)), 'ready')
  t.same(partsOf(data).map((p) => p.what).sort(), ['engine', 'gateway', 'nats', 'store', 'up'])

  await t.test('no secret is in the arguments, the logs or an open file', async (t) => {
    const secrets = Object.values(JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as Record<string, string>)
    const shown = [...log, ...partsOf(data).flatMap(({ pid }) => argumentsOf(pid)), readFileSync(join(data, 'run', 'up.json'), 'utf8')].join('\n')
    for (const secret of secrets) t.notOk(shown.includes(secret))
    for (const file of ['secrets.json', 'nats/nats-server.conf', 'run/up.json']) t.equal(statSync(join(data, file)).mode & 0o077, 0, file)
  })

  await t.test('a second up on the folder is refused in one line', async (t) => {
    const second = await run(['up', '--data', data], { env })
    t.match(second, { code: 2, stderr: new RegExp(`^platestream: the data folder is in use by another "platestream up" \\(process ${child.pid}\\)[^\\n]*\\n$`) })
    t.ok(await isReady(facts), 'the first one does not notice')
  })

  await t.test('commands find the running system by its data folder', async (t) => {
    t.match(await run(['camera', 'add', 'gate-1', '--lat', '1', '--lon', '2', '--data', data]), { code: 0 })
    t.match(await run(['doctor', '--json', '--data', data]), { code: 0, stdout: /"what":"running system","ok":true/ })
  })

  await t.test('a part that is killed comes back, and the system with it', async (t) => {
    for (const what of ['nats', 'store', 'engine', 'gateway']) {
      const { pid } = partsOf(data).find((part) => part.what === what)!
      process.kill(pid, 'SIGKILL')
      t.ok(await eventually(() => partsOf(data).some((part) => part.what === what && part.pid !== pid)), `${what} runs again`)
      t.ok(await eventually(() => isReady(facts)), `ready after ${what}, at the same address`)
    }
  })

  child.removeAllListeners('exit')
  child.kill('SIGTERM')
  const code = await new Promise((resolve) => child.once('exit', resolve))
  t.equal(code, 0)
  t.same(partsOf(data), [], 'nothing is left over')
  t.notOk(existsSync(join(data, 'run', 'up.json')))
  t.notOk(existsSync(join(data, 'run', 'up.lock')))
})

t.test('nothing is left over when up itself is killed, and the next start takes the folder', async (t) => {
  const data = join(folder, 'two')
  const first = await up(data)
  first.child.removeAllListeners('exit')
  process.kill(first.child.pid!, 'SIGKILL')
  t.ok(await eventually(() => partsOf(data).length === 0, 40_000), `left over: ${JSON.stringify(partsOf(data))}`)
  const second = await up(data)
  t.ok(await eventually(() => isReady(second.facts)))
  second.child.removeAllListeners('exit')
  second.child.kill('SIGINT')
  t.equal(await new Promise((resolve) => second.child.once('exit', resolve)), 0)
  t.same(partsOf(data), [])
})

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { argumentsOf } from '../../engine/runtime/mod.js'
import { call, run } from './run.js'
import { writeRunFile, type RunFile } from '../../cli/run_file.js'
import { eventually, isReady, partsOf, startUp, UP_ENV } from './up_process.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-up-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

t.test('up starts everything, keeps it running, and ends it', async (t) => {
  const data = join(folder, 'one')
  const { child, facts, log } = await startUp(t, data)
  t.match(facts, {
    ready: true,
    pid: child.pid,
    console: /^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{64}$/,
    nats: /^nats:\/\/127\.0\.0\.1:\d+$/,
    store: /^http:\/\/127\.0\.0\.1:\d+$/,
  })
  t.ok(await eventually(() => isReady(facts)), 'ready')
  t.same(
    partsOf(data)
      .map((p) => p.what)
      .sort(),
    ['engine', 'gateway', 'nats', 'store', 'up'],
  )

  await t.test('no secret is in the arguments, the logs or an open file', async (t) => {
    const secrets = Object.values(
      JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as Record<string, string>,
    )
    const shown = [
      ...log,
      ...partsOf(data).flatMap(({ pid }) => argumentsOf(pid)),
      readFileSync(join(data, 'run', 'up.json'), 'utf8'),
    ].join('\n')
    for (const secret of secrets) t.notOk(shown.includes(secret))
    for (const file of ['secrets.json', 'nats/nats-server.conf', 'run/up.json'])
      t.equal(statSync(join(data, file)).mode & 0o077, 0, file)
  })

  await t.test('a second up on the folder is refused in one line', async (t) => {
    const second = await run(['up', '--data', data], { env: UP_ENV })
    t.match(second, {
      code: 2,
      stderr: new RegExp(
        `^platestream: the data folder is in use by another "platestream up" \\(process ${child.pid}\\)[^\\n]*\\n$`,
      ),
    })
    t.ok(await isReady(facts), 'the first one does not notice')
  })

  await t.test('commands find the running system by its data folder', async (t) => {
    t.match(await run(['camera', 'add', 'gate-1', '--lat', '1', '--lon', '2', '--data', data]), { code: 0 })
  })

  await t.test(
    'a second engine under the name of the first is refused, with a way out, and the first one goes on',
    async (t) => {
      const { nats } = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8')) as { nats: string }
      const second = await run(['engine', '--data', data], {
        env: { ...UP_ENV, NATS_URL: facts.nats, PLATESTREAM_NATS_TOKEN: nats },
      })
      t.equal(second.code, 1)
      t.match(JSON.parse(second.stdout), {
        ready: false,
        code: 'ALPR_ERR_INSTANCE_TAKEN',
        message: /is already running \(process \d+ on .+\): give this one another name, with --instance/,
      })
      t.ok(await isReady(facts))
    },
  )

  await t.test('doctor tells how the running system is', async (t) => {
    const look = async (at: string) => {
      const { code, stdout } = await call(['doctor', '--json', '--data', at])
      const { ok, findings } = JSON.parse(stdout) as {
        ok: boolean
        findings: { what: string; ok: boolean; detail: string; remedy?: string }[]
      }
      return { code, ok, of: (what: string) => findings.find((finding) => finding.what === what) }
    }
    const well = await look(data)
    t.match(well, { code: 0, ok: true })
    for (const what of ['NATS', 'stream FRAMES', 'stream DETECTIONS', 'stream DEAD', 'ClickHouse', 'running system'])
      t.match(well.of(what), { ok: true }, what)

    // A folder that says the same of the system, but for NATS, which is where nobody listens: one that was really
    // killed would be started again before anybody has looked.
    const broken = join(folder, 'broken')
    const written = JSON.parse(readFileSync(join(data, 'run', 'up.json'), 'utf8')) as RunFile
    writeRunFile(join(broken, 'run'), { ...written, nats: { url: 'nats://127.0.0.1:9', private: true } })
    copyFileSync(join(data, 'secrets.json'), join(broken, 'secrets.json'))
    const ill = await look(broken)
    t.match(ill, { code: 1, ok: false })
    t.match(ill.of('NATS'), { ok: false, detail: /127\.0\.0\.1:9/, remedy: /platestream up/ })
    t.match(ill.of('ClickHouse'), { ok: true }, 'what is well is not blamed')
  })

  await t.test('a part that is killed comes back, and the system with it', async (t) => {
    for (const what of ['nats', 'store', 'engine', 'gateway']) {
      const { pid } = partsOf(data).find((part) => part.what === what)!
      process.kill(pid, 'SIGKILL')
      t.ok(
        await eventually(() => partsOf(data).some((part) => part.what === what && part.pid !== pid)),
        `${what} runs again`,
      )
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

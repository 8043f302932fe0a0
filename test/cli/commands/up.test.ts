import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { argumentsOf } from '../../../engine/runtime/mod.js'
import { call, CLI, environment, run } from '../run.js'
import { writeRunFile, type RunFile } from '../../../cli/run_file.js'
import { eventually, isReady, partsOf, startUp, UP_ENV } from '../up_process.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-up-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

t.test('up starts the system, keeps it running and stops it', async (t) => {
  const data = join(folder, 'one')
  const { child, facts, log } = await startUp(t, data)
  t.match(facts, {
    ready: true,
    pid: child.pid,
    console: /^http:\/\/127\.0\.0\.1:\d+\/$/,
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

  await t.test('no secret is in arguments, logs or readable files', async (t) => {
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

  await t.test('a second up on the same folder is refused with one line', async (t) => {
    const second = await run(['up', '--data', data], { env: UP_ENV })
    t.match(second, {
      code: 2,
      stderr: new RegExp(
        `^platestream: another "platestream up" \\(process ${child.pid}\\) uses this data folder[^\\n]*\\n$`,
      ),
    })
    t.ok(await isReady(facts), 'the first one is not affected')
  })

  await t.test('commands find the running system through its data folder', async (t) => {
    t.match(await run(['camera', 'add', 'gate-1', '--lat', '1', '--lon', '2', '--data', data]), { code: 0 })
    const { stdout } = await run(['sign-in', '--data', data, '--json'])
    const { address, token } = JSON.parse(stdout) as { address: string; token: string }
    t.equal(address, `${facts.console}?token=${token}`)
    const answer = await fetch(new URL('api/session', address), { headers: { authorization: `Bearer ${token}` } })
    t.equal(answer.status, 200)
    const behind = { env: { ...UP_ENV, PLATESTREAM_GATEWAY_PUBLIC_URL: 'https://alpr.example.org/alpr' } }
    t.match(await run(['sign-in', '--data', data], behind), {
      stdout: `https://alpr.example.org/alpr/?token=${token}\n`,
    })
  })

  await t.test(
    'a second engine with the same name is refused with a remedy, and the first one continues',
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

  await t.test('doctor reports the state of the running system', async (t) => {
    const diagnose = async (at: string) => {
      const { code, stdout } = await call(['doctor', '--json', '--data', at])
      const { ok, findings } = JSON.parse(stdout) as {
        ok: boolean
        findings: { what: string; ok: boolean; detail: string; remedy?: string }[]
      }
      return { code, ok, of: (what: string) => findings.find((finding) => finding.what === what) }
    }
    const healthy = await diagnose(data)
    t.match(healthy, { code: 0, ok: true })
    for (const what of ['NATS', 'stream FRAMES', 'stream DETECTIONS', 'stream DEAD', 'ClickHouse', 'running system'])
      t.match(healthy.of(what), { ok: true }, what)

    // A copy of the run file with a NATS address where no server listens: a NATS server that was really killed would be
    // restarted before doctor connects.
    const broken = join(folder, 'broken')
    const written = JSON.parse(readFileSync(join(data, 'run', 'up.json'), 'utf8')) as RunFile
    writeRunFile(join(broken, 'run'), { ...written, nats: { url: 'nats://127.0.0.1:9', private: true } })
    copyFileSync(join(data, 'secrets.json'), join(broken, 'secrets.json'))
    const faulty = await diagnose(broken)
    t.match(faulty, { code: 1, ok: false })
    t.match(faulty.of('NATS'), { ok: false, detail: /127\.0\.0\.1:9/, remedy: /platestream up/ })
    t.match(faulty.of('ClickHouse'), { ok: true }, 'a healthy part is not reported')
  })

  await t.test('a killed part is restarted, and the system becomes ready again', async (t) => {
    for (const what of ['nats', 'store', 'engine', 'gateway']) {
      const { pid } = partsOf(data).find((part) => part.what === what)!
      process.kill(pid, 'SIGKILL')
      t.ok(
        await eventually(() => partsOf(data).some((part) => part.what === what && part.pid !== pid)),
        `${what} runs again`,
      )
      t.ok(await eventually(() => isReady(facts)), `ready at the same address after ${what}`)
    }
  })

  child.removeAllListeners('exit')
  child.kill('SIGTERM')
  const code = await new Promise((resolve) => child.once('exit', resolve))
  t.equal(code, 0)
  t.same(partsOf(data), [], 'no process is left')
  t.notOk(existsSync(join(data, 'run', 'up.json')))
  t.notOk(existsSync(join(data, 'run', 'up.lock')))
})

for (const [signal, part] of [
  ['SIGINT', 'nats'],
  ['SIGTERM', 'store'],
] as const)
  t.test(`${signal} while up starts ends it and every part, without waiting until they are ready`, async (t) => {
    const data = join(folder, signal)
    const child = spawn(process.execPath, [CLI, 'up', '--data', data], { env: environment(UP_ENV) })
    let output = ''
    child.stdout.on('data', (text: Buffer) => {
      output += text.toString()
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    t.ok(await eventually(() => partsOf(data).some(({ what }) => what === part)), `${part} starts`)
    child.kill(signal)
    t.equal(await ended, 0)
    t.match(output, /stopping\n$/)
    t.notMatch(output, /gateway +ready/)
    t.same(partsOf(data), [], 'no process is left')
  })

t.test('sign-in on a folder without a system says so', async (t) => {
  const { code, stdout, stderr } = await run(['sign-in', '--data', join(folder, 'nothing')])
  t.match({ code, stdout, stderr }, { code: 2, stdout: '', stderr: /no system runs on .*nothing: start one with/ })
  t.notOk(existsSync(join(folder, 'nothing')), 'and creates nothing')
})

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { headers } from 'nats'
import t from 'tap'
import { connectNats } from '../../../engine/nats/connect.js'
import { startPrivateServer } from '../../../engine/nats/server.js'
import { isRunning } from '../../../engine/runtime/process.js'
import { partitionOfCamera } from '../../../engine/nats/partitioning.js'
import { ENTRANCE, partitionsOf, streamOf } from '../../../engine/nats/topology.js'
import { until } from '../../until.js'
import { startTestNats, type Teardown } from '../../servers/nats.js'

const folderFor = (test: Teardown) => {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-server-'))
  test.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test('the server chooses a free port; the token is required and not in its arguments', async (t) => {
  const folder = folderFor(t)
  const server = await startPrivateServer({ folder, token: 'secret-of-the-test', partitions: 2 })
  t.teardown(() => server.stop())
  t.ok(server.port > 0)
  t.notMatch(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8'), 'secret-of-the-test')
  t.equal(statSync(join(folder, 'nats-server.conf')).mode & 0o777, 0o600)
  await t.rejects(connectNats({ url: server.url, token: 'wrong', name: 'test' }), {
    code: 'ALPR_ERR_NATS_UNAVAILABLE',
    message: /refuses our token/,
  })
  const connection = await connectNats({ url: server.url, token: 'secret-of-the-test', name: 'test' })
  t.equal(connection.info?.max_payload, 16_777_216)
  await connection.close()
})

t.test('a camera always gets the same partition, and each partition is in range', async (t) => {
  const nats = await startTestNats(t, { partitions: 3 })
  const connection = await nats.connect()
  const js = connection.jetstream()
  for (let i = 0; i < 12; i++) await js.publish(`frames.cam-${i % 6}`, new Uint8Array([i]))
  const manager = await connection.jetstreamManager()
  const partitions = new Map<string, Set<number>>()
  for (const partition of partitionsOf(ENTRANCE.frames, 3)) {
    const { state } = await manager.streams.info(streamOf(partition), { subjects_filter: '>' })
    for (const subject of Object.keys(state.subjects ?? {})) {
      const camera = subject.split('.').at(-1)!
      t.equal(partitionOfCamera(camera, 3), partition.index, 'our hash is the one of the server')
      partitions.set(camera, (partitions.get(camera) ?? new Set()).add(partition.index))
    }
  }
  t.equal(partitions.size, 6)
  for (const seen of partitions.values()) t.equal(seen.size, 1)
})

t.test('the error for a missing program says what to install', async (t) => {
  await t.rejects(
    startPrivateServer({ folder: folderFor(t), token: 'x', partitions: 1, program: 'no-such-nats-server' }),
    {
      code: 'ALPR_ERR_SYSTEM_MISSING',
      message: /apt-get install nats-server/,
    },
  )
})

t.test('a port in use fails with the message of the server', async (t) => {
  const nats = await startTestNats(t, { setup: false })
  await t.rejects(startPrivateServer({ folder: folderFor(t), token: 'x', partitions: 1, port: nats.port }), {
    code: 'ALPR_ERR_NATS_UNAVAILABLE',
    message: /address already in use/,
  })
})

t.test('the server ends with its parent, even when the parent is killed', async (t) => {
  const folder = folderFor(t)
  const module = new URL('../../../engine/nats/server.js', import.meta.url).href
  const script = `import { startPrivateServer } from ${JSON.stringify(module)}
    const server = await startPrivateServer({ folder: ${JSON.stringify(folder)}, token: 'x', partitions: 1 })
    console.log(server.pid); setInterval(() => {}, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (d) => resolve(Number(d))))
  t.ok(isRunning(pid))
  parent.kill('SIGKILL')
  await until(() => !isRunning(pid))
})

t.test('the next start kills an orphan that still holds the folder', async (t) => {
  const folder = folderFor(t)
  const first = await startPrivateServer({ folder, token: 'x', partitions: 1 })
  const second = await startPrivateServer({ folder, token: 'x', partitions: 1 })
  t.teardown(() => second.stop())
  await first.exited
  t.not(first.pid, second.pid)
})

t.test('a connection survives kill -9 and a restart, and acknowledged data is there', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const h = headers()
  h.set('Nats-Msg-Id', 'one')
  await connection.jetstream().publish('frames.a', new Uint8Array(1000), { headers: h })
  await nats.kill('SIGKILL')
  await nats.restart()
  for (let i = 0; ; i++) {
    try {
      t.equal(
        (await (await connection.jetstreamManager({ timeout: 500 })).streams.info('FRAMES-1-0')).state.messages,
        1,
      )
      break
    } catch (error) {
      if (i > 50) throw error
      await new Promise((r) => setTimeout(r, 100))
    }
  }
})

t.test('connecting does not wait for an absent server, unless asked to', async (t) => {
  const started = Date.now()
  await t.rejects(connectNats({ url: 'nats://127.0.0.1:1', name: 'test', firstConnectMs: 200 }), {
    message: /127\.0\.0\.1:1.*connection refused/,
  })
  t.ok(Date.now() - started < 2_000)
  const stop = new AbortController()
  const warnings: object[] = []
  const waiting = connectNats({
    url: 'nats://user:pass@127.0.0.1:1',
    name: 'test',
    waitOnFirstConnect: true,
    signal: stop.signal,
    log: { info: () => {}, warn: (f) => warnings.push(f) },
  })
  setTimeout(() => stop.abort(), 400)
  await t.rejects(waiting, { code: 'ALPR_ERR_NATS_UNAVAILABLE' })
  t.equal(warnings.length, 1)
  t.notMatch(JSON.stringify(warnings), /pass/)
})

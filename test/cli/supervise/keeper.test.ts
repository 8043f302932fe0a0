import t from 'tap'
import { isRunning } from '../../../engine/runtime/mod.js'
import { Keeper } from '../../../cli/supervise/keeper.js'
import { startChild } from '../../../cli/supervise/child.js'
import { until } from '../../until.js'
import { readableLogLine } from '../../../cli/supervise/log_line.js'
const child = (script: string) => startChild({ args: ['-e', script], readyMs: 10_000, onLog: () => {} })
const STEADY = 'console.log(JSON.stringify({ ready: true, url: "http://127.0.0.1:1" })); setInterval(() => {}, 1000)'

t.test('a part that dies is restarted with its previous facts, and stops on stop()', async (t) => {
  const logged: string[] = []
  const previous: unknown[] = []
  const keeper = new Keeper({
    name: 'part',
    graceMs: 1_000,
    firstPauseMs: 20,
    log: (text) => logged.push(text),
    start: (last) => {
      previous.push(last?.facts.url)
      return child(STEADY)
    },
  })
  const first = await keeper.start()
  process.kill(first.pid, 'SIGKILL')
  await until(() => keeper.running !== undefined && keeper.running.pid !== first.pid)
  const second = keeper.running!
  t.ok(isRunning(second.pid))
  t.same(previous, [undefined, 'http://127.0.0.1:1'])
  t.same(logged, ['part exited (SIGKILL), restarting it', 'part runs again'])
  await keeper.stop()
  t.notOk(isRunning(second.pid))
})

t.test('a part that fails to restart is retried after growing pauses', async (t) => {
  const times: number[] = []
  const keeper = new Keeper({
    name: 'part',
    graceMs: 1_000,
    firstPauseMs: 20,
    log: () => {},
    start: async (last) => {
      times.push(Date.now())
      if (last && times.length < 6) throw new Error('no')
      return child(STEADY)
    },
  })
  const first = await keeper.start()
  process.kill(first.pid, 'SIGKILL')
  await until(() => times.length >= 6)
  const pauses = times.slice(2).map((time, i) => time - times[i + 1]!)
  t.ok(pauses.at(-1)! > pauses[0]! * 2, `pauses ${pauses.join(', ')} ms`)
  await keeper.stop()
})

t.test('a failed first start reports the error of the part', async (t) => {
  await t.rejects(
    child(
      'console.log(JSON.stringify({ ready: false, code: "ALPR_ERR_STORE_LOCKED", message: "taken" })); ' +
        'setInterval(() => {}, 1000)',
    ),
    { code: 'ALPR_ERR_STORE_LOCKED', message: 'taken' },
  )
  await t.rejects(child('console.error("cannot find the thing"); process.exit(3)'), {
    message: 'cannot find the thing',
  })
  await t.rejects(child('process.exit(3)'), { message: 'it exited (3)' })
  await t.rejects(startChild({ args: ['-e', 'setInterval(() => {}, 1000)'], readyMs: 300, onLog: () => {} }), {
    message: /not ready within/,
  })
})

t.test('a log line is formatted for people', async (t) => {
  t.match(
    readableLogLine(
      'engine',
      JSON.stringify({
        level: 40,
        time: 1777624200000,
        pid: 1,
        hostname: 'h',
        name: 'engine',
        url: 'nats://x',
        msg: 'NATS is unavailable',
      }),
    ),
    /^\d\d:\d\d:\d\d engine {3}warn {2}NATS is unavailable url=nats:\/\/x$/,
  )
  t.match(readableLogLine('store', 'plain text'), /^\d\d:\d\d:\d\d store +plain text$/)
  t.match(readableLogLine('store', '42'), /42$/)
})

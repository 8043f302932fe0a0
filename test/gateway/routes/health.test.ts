import t from 'tap'
import type { EngineStatus, HeldPartition } from '../../../engine/mod.js'
import { startTestNats } from '../../servers/nats.js'
import { until } from '../../until.js'
import { BEARER, startTestGateway } from '../fixtures/gateway.js'
import { makeStatus } from '../fixtures/status.js'

t.test('readyz reports the state of each part', async (t) => {
  const nats = await startTestNats(t)
  const gateway = await startTestGateway(t, { nats })
  const { app, archive, services } = gateway
  const ready = async () => {
    const answer = await app.inject({ url: '/readyz' })
    return { ...answer.json(), code: answer.statusCode } as { code: number; ready: boolean; reasons: string[] }
  }
  await until(async () => services.hub.feed.state.live)
  t.same((await ready()).reasons, ['engines: none has reported yet'])
  const publisher = await nats.connect()
  let reports = 0
  const report = async (change: Partial<EngineStatus> = {}) => {
    const gauges = { report: ++reports }
    publisher.publish('status.engine.e1', JSON.stringify(makeStatus({ ...change, gauges })))
    await until(() => services.board.largest('report') === reports)
  }
  await report()
  t.match(await ready(), { code: 200, ready: true, reasons: [] })
  await report({ waiting: { clickhouse: 'no answer' } })
  t.match(await ready(), { code: 503, reasons: [/^engine e1: is waiting for clickhouse: no answer \(since 20.*\)$/] })
  const allPartitions = ['frames-2-0', 'frames-2-1', 'detections-2-0', 'detections-2-1']
  const failing = { 'frames-2-1': 'no answer', 'frames-2-0': 'it is held now' }
  await report({ partitions: ['frames-2-0', 'detections-2-1'], allPartitions, failing })
  t.match(await ready(), {
    code: 503,
    reasons: [
      /^partition frames-2-1 is held by no engine since 20.*; its cameras wait \(no answer\)$/,
      /^partition detections-2-0 is held by no engine since 20.*; its cameras wait$/,
    ],
  })
  const held: HeldPartition = { partition: 'frames-2-1', what: 'commit', ms: 20_000, by: 'message 7 of camera main-st' }
  await report({ partitions: allPartitions, allPartitions, held: [held, { ...held, what: 'trim', by: 'nats: no' }] })
  t.match(await ready(), {
    code: 503,
    reasons: [
      /^partition frames-2-1 on engine e1: no message is done with since 20.*, held up by message 7 of camera main-st$/,
      /^partition frames-2-1 on engine e1: messages that are done with stay on the stream since 20.*, held up by nats/,
    ],
  })
  await report({ partitions: allPartitions, allPartitions })
  t.match(await ready(), { code: 200 })
  const list = {
    id: 'stolen',
    name: 'Stolen vehicles',
    kind: 'hot',
    priority: 'high',
    version: '0123456789abcdef',
    loadedAt: new Date().toISOString(),
    entries: 3,
  }
  const kv = await publisher.jetstream().views.kv('HOTLISTS', { bindOnly: true })
  await kv.put('stolen', JSON.stringify(list))
  await until(async () => {
    await report({ lists: {} })
    return (await ready()).reasons.some((reason) =>
      reason.startsWith('hot list stolen: version 0123456789abcdef is not'),
    )
  })
  t.match(await ready(), { code: 503 })
  t.match(
    (await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })).body,
    /hotlist_missing_seconds\{instance="e1",list="stolen"\} \d/,
  )
  t.match((await app.inject({ url: '/api/status', headers: BEARER })).json(), { missingLists: [{ list: 'stolen' }] })
  await kv.delete('stolen')
  await until(async () => {
    await report({ lists: {} })
    return (await ready()).code === 200
  })
  await report()
  archive.alive = false
  await until(async () => (await ready()).reasons.some((reason) => reason.startsWith('store: ')))
  archive.alive = true
  archive.ping = () => new Promise(() => {}) // hangs
  await until(async () => (await ready()).reasons.some((reason) => reason.includes('no answer within')))
  await (await publisher.jetstreamManager()).streams.delete('KV_CAMERAS')
  await nats.restart()
  await until(async () => (await ready()).reasons.some((reason) => reason.startsWith('registry: CAMERAS: ')))
  await nats.kill()
  await until(async () => (await ready()).reasons.some((reason) => reason.startsWith('nats: ')))
  t.equal((await app.inject({ url: '/healthz' })).statusCode, 200, 'the process is alive throughout')
  await until(async () =>
    (await ready()).reasons.some((reason) => /^engine e1: has been silent for \d+ s$/.test(reason)),
  )
})

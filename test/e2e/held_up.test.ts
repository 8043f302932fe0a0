import t from 'tap'
import { detectionsSubject } from '../../engine/mod.js'
import { startTestSystem } from '../servers/system.js'
import { until } from '../until.js'

t.setTimeout(240_000)

t.test('an engine says which partition does not advance, and what holds it up', async (t) => {
  const camera = {
    id: 'alpha',
    name: 'alpha',
    kind: 'fixed',
    lat: 38.7,
    lon: -121.2,
    heading: 0,
    agency: 'test',
  } as const
  const system = await startTestSystem(t, { cameras: [camera], env: { PLATESTREAM_ENGINE_WORKERS: '1' } })
  const send = (plate: string) =>
    system.connection
      .jetstream()
      .publish(
        detectionsSubject('alpha'),
        JSON.stringify({ capturedAt: new Date().toISOString(), plate, confidence: 0.9 }),
      )
  await until(() => system.status()?.partitions.length === 4, 60_000)
  await send('7ABC123')
  await system.untilStored(1)
  t.same(system.status()!.held, [])
  await system.store.kill()
  await send('8ABC123')
  await until(() => (system.status()?.held ?? []).length > 0, 60_000)
  t.match(system.status()!.held, [{ partition: /^detections-2-/, what: 'commit', by: /^clickhouse: ./ }])
  t.ok(system.status()!.held![0]!.ms > 15_000)
  await system.store.restart()
  await system.untilStored(2)
  await until(() => system.status()!.held!.length === 0)
})

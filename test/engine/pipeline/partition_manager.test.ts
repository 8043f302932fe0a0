import t from 'tap'
import type { Source } from '../../../engine/sources/source.js'
import { Metrics } from '../../../engine/runtime/metrics.js'
import { BUCKET, ENTRANCE, partitionName, type Partition } from '../../../engine/nats/topology.js'
import { PartitionManager } from '../../../engine/pipeline/partition_manager.js'
import { Members } from '../../../engine/coordination/members.js'
import type { Pipeline } from '../../../engine/pipeline/pipeline.js'
import { startTestNats, type TestNats } from '../../servers/nats.js'
import { until } from '../../until.js'

const source = { entrance: ENTRANCE.frames } as Source
const PARTITIONS = 8

/** An engine with empty pipelines: `working` contains the partitions it holds. */
async function startManager(nats: TestNats, instance: string, working: Map<string, string>) {
  const connection = await nats.connect(instance)
  const leases = await connection.jetstream().views.kv(BUCKET.leases)
  const members = new Members(leases, instance)
  await members.follow(connection)
  const ending = new AbortController()
  const open = async (_: Source, held: Partition) => {
    const partition = partitionName(held)
    return {
      run: (signal: AbortSignal) =>
        new Promise<void>((resolve) => {
          if (working.has(partition)) throw new Error(`partition ${partition} is held twice`)
          working.set(partition, instance)
          signal.addEventListener('abort', () => {
            working.delete(partition)
            resolve()
          })
        }),
    } as unknown as Pipeline
  }
  const manager = new PartitionManager(source, {
    leases,
    members,
    instance,
    partitioning: () => ({ partitions: PARTITIONS }),
    metrics: new Metrics(),
    log: { info: () => {}, warn: () => {} },
    open,
  })
  const running = Promise.all([manager.run(ending.signal), members.stay(ending.signal)])
  return {
    leave: async () => {
      ending.abort()
      await running
    },
    count: () => [...working.values()].filter((name) => name === instance).length,
  }
}

t.test('engines that come and go share the partitions evenly, and no partition is held twice', async (t) => {
  const nats = await startTestNats(t, { partitions: PARTITIONS })
  const working = new Map<string, string>()
  const a = await startManager(nats, 'a', working)
  await until(() => a.count() === 8)
  const b = await startManager(nats, 'b', working)
  await until(() => a.count() === 4 && b.count() === 4)
  const c = await startManager(nats, 'c', working)
  await until(() => a.count() === 3 && b.count() === 3 && c.count() === 2)
  await b.leave()
  await until(() => a.count() === 4 && c.count() === 4)
  await Promise.all([a.leave(), c.leave()])
  t.equal(working.size, 0, 'everything is given back')
})

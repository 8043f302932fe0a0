import fc from 'fast-check'
import t from 'tap'
import { BUCKET } from '../../../engine/nats/topology.js'
import { Lease } from '../../../engine/coordination/lease.js'
import { Members } from '../../../engine/coordination/members.js'
import { startTestNats } from '../../servers/nats.js'
import { until } from '../../until.js'

const nobody = undefined as never

t.test('the shares of all engines add up to all partitions and differ by at most one', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,8}(\.[a-z0-9]{1,8})?$/), {
          minLength: 1,
          maxLength: 12,
          selector: (name) => name.replaceAll('.', '-'),
        }),
        fc.integer({ min: 1, max: 64 }),
        (names, partitions) => {
          const shares = names.map((name) => {
            const members = new Members(nobody, name)
            for (const other of names) members.heardFrom(`engine.${other.replaceAll('.', '-')}`)
            return [members.share(partitions), members.share(partitions, partitions)] as const
          })
          const isEven = (all: number[], sum: number) =>
            all.reduce((a, b) => a + b) === sum && Math.max(...all) - Math.min(...all) <= 1
          const both = shares.map(([frames, detections]) => frames + detections)
          return (
            isEven(
              shares.map(([frames]) => frames),
              partitions,
            ) && isEven(both, 2 * partitions)
          )
        },
      ),
    ),
  )
})

t.test('a silent engine stops counting; leases in the same bucket are not engines', async (t) => {
  let now = 0
  const members = new Members(nobody, 'a', () => now)
  members.heardFrom('engine.b')
  members.heardFrom('0')
  members.heardFrom('detections-0')
  t.same(members.names, ['a', 'b'])
  t.equal(members.share(4), 2)
  now = Lease.EXPIRES_MS + 1
  t.same(members.names, ['a'])
  t.equal(members.share(4), 4)
  members.heardFrom('engine.b')
  members.forget('engine.b')
  members.forget('engine.a')
  t.same(members.names, ['a'], 'it always counts itself')
})

t.test('engines find each other, and notice at once when one leaves', async (t) => {
  const nats = await startTestNats(t)
  const open = async (name: string) => {
    const connection = await nats.connect(name)
    const members = new Members(await connection.jetstream().views.kv(BUCKET.leases), name)
    await members.follow(connection)
    const ending = new AbortController()
    const staying = members.stay(ending.signal)
    return {
      members,
      leave: async () => {
        ending.abort()
        await staying
      },
    }
  }
  const a = await open('a')
  const b = await open('b.1')
  t.same(b.members.names, ['a', 'b-1'], 'a newcomer knows the others at once')
  await until(() => a.members.names.length === 2)
  await b.leave()
  await until(() => a.members.names.length === 1)
  t.equal(a.members.share(4), 4)
  await a.leave()
})

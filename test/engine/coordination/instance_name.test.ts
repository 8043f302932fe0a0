import t from 'tap'
import { BUCKET } from '../../../engine/nats/topology.js'
import { InstanceName } from '../../../engine/coordination/instance_name.js'
import { Members } from '../../../engine/coordination/members.js'
import { startTestNats } from '../../servers/nats.js'
import { until } from '../../until.js'

t.test('a name in use is refused, and free again as soon as its engine ends', async (t) => {
  const nats = await startTestNats(t)
  const [a, b, c] = [await nats.connect('a'), await nats.connect('b'), await nats.connect('c')]
  const first = new InstanceName(a, 'gate.1')
  const began = performance.now()
  await first.claim()
  t.ok(performance.now() - began < 900, 'it does not wait when nobody can answer')
  const ending = new AbortController()
  first.answer(ending.signal)
  await a.flush()
  await t.rejects(new InstanceName(b, 'gate.1').claim(), {
    code: 'ALPR_ERR_INSTANCE_TAKEN',
    message: /engine named gate\.1 is already running .*--instance/,
  })
  await new InstanceName(b, 'gate.2').claim()
  ending.abort()
  await a.flush()
  await new InstanceName(b, 'gate.1').claim()
  new InstanceName(b, 'gate.1').answer(new AbortController().signal)
  await b.close()
  await new InstanceName(c, 'gate.1').claim()
})

t.test(
  'of two engines that start with one name at the same instant, the later one gets the duplicate reported',
  async (t) => {
    const nats = await startTestNats(t)
    const duplicates: string[] = []
    const start = async (session: string, instance = 'same-name') => {
      const connection = await nats.connect(session)
      const members = new Members(await connection.jetstream().views.kv(BUCKET.leases), instance, undefined, session)
      members.onDuplicate = () => duplicates.push(session)
      await members.follow(connection)
      const ending = new AbortController()
      const staying = members.stay(ending.signal)
      return async () => {
        ending.abort()
        await staying
      }
    }
    const leave = [await start('earlier'), await start('later'), await start('other', 'another-name')]
    await until(() => duplicates.length > 0)
    await Promise.all(leave.map((end) => end()))
    t.same([...new Set(duplicates)], ['later'])
  },
)

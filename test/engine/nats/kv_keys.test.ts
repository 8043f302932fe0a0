import t from 'tap'
import { keysOf } from '../../../engine/nats/kv_keys.js'
import { BUCKET } from '../../../engine/nats/topology.js'
import { startTestNats } from '../../servers/nats.js'

t.test('it lists the keys of a bucket under a prefix, and no others', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  const manager = await connection.jetstreamManager()
  const passes = await connection.jetstream().views.kv(BUCKET.passes, { bindOnly: true })
  t.same(await keysOf(manager, BUCKET.passes, '1.'), [], 'there is none yet')
  for (const key of ['1.main-st', '1.harbor', '10.main-st', '2.harbor']) await passes.put(key, '{}')
  await passes.put('1.harbor', '{"again":true}')
  t.same((await keysOf(manager, BUCKET.passes, '1.')).sort(), ['1.harbor', '1.main-st'])
  t.same(await keysOf(manager, BUCKET.passes, '3.'), [])
  await t.rejects(keysOf(manager, 'NO_BUCKET', '1.'), /stream not found/)
})

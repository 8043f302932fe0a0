import t from 'tap'
import { keysOf } from '../../../engine/nats/kv_keys.js'
import { startTestNats } from '../../servers/nats.js'

t.test('it lists the keys of a bucket under a prefix, and no others', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  const manager = await connection.jetstreamManager()
  const bucket = await connection.jetstream().views.kv('KEYS')
  t.same(await keysOf(manager, 'KEYS', '1.'), [], 'there is none yet')
  for (const key of ['1.main-st', '1.harbor', '10.main-st', '2.harbor']) await bucket.put(key, '{}')
  await bucket.put('1.harbor', '{"again":true}')
  t.same((await keysOf(manager, 'KEYS', '1.')).sort(), ['1.harbor', '1.main-st'])
  t.same(await keysOf(manager, 'KEYS', '3.'), [])
  await t.rejects(keysOf(manager, 'NO_BUCKET', '1.'), /stream not found/)
})

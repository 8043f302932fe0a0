import t from 'tap'
import { FrameCache } from '../../../engine/pictures/frame_cache.js'
import { setupNats } from '../../../engine/nats/setup.js'
import { framesSubject } from '../../../engine/nats/topology.js'
import { startTestNats } from '../../servers/nats.js'

t.test('the newest frames stay in the cache up to its bound, older ones come from the stream', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  await setupNats(connection, { framesMaxBytes: 10_000_000, replicas: 1 })
  const seqs: number[] = []
  for (let value = 0; value < 4; value++) {
    seqs.push((await connection.jetstream().publish(framesSubject('main-st'), new Uint8Array(100).fill(value))).seq)
  }
  const requests: string[] = []
  const spied = {
    request: (subject: string, payload: string, options: { timeout: number }) => {
      requests.push(payload)
      return connection.request(subject, payload, options)
    },
  }
  const cache = new FrameCache(spied as typeof connection, 250)
  const owner = {}
  for (const [value, seq] of seqs.entries()) cache.keep(owner, seq, new Uint8Array(100).fill(value))
  // A frame that is delivered again must not count twice.
  cache.keep(owner, seqs[3]!, new Uint8Array(100).fill(3))
  for (const [value, seq] of seqs.entries()) t.same([...(await cache.get(seq))!], Array(100).fill(value))
  t.same(
    requests,
    [JSON.stringify({ seq: seqs[0] }), JSON.stringify({ seq: seqs[1] })],
    'two of 100 bytes fit into 250',
  )
  t.equal(await cache.get(999), undefined, 'a frame that is not in the stream is undefined')
})

t.test('an owner drops its own frames that are not needed, and no others', async (t) => {
  const cache = new FrameCache({
    request: async () => {
      throw new Error('asked the stream')
    },
  })
  const [a, b] = [{}, {}]
  for (let seq = 1; seq <= 6; seq++) cache.keep(seq % 2 === 0 ? b : a, seq, new Uint8Array(10).fill(seq))
  cache.drop(a, 3, new Set([1]))
  t.equal(cache.held, 50, '3 is gone; 1 is needed, 5 is later, 2, 4 and 6 belong to another owner')
  for (const seq of [1, 2, 4, 5, 6]) t.same((await cache.get(seq))![0], seq)
  await t.rejects(cache.get(3), { message: 'asked the stream' })
  cache.drop(b)
  cache.drop(a)
  t.equal(cache.held, 0)
})

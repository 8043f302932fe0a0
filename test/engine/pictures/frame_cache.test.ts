import t from 'tap'
import { FrameCache } from '../../../engine/pictures/frame_cache.js'
import { setupNats } from '../../../engine/nats/setup.js'
import { framesSubject } from '../../../engine/nats/topology.js'
import { startTestNats } from '../../servers/nats.js'

t.test('the newest frames stay in the cache up to its bound, older ones come from the stream', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
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
  const frames = new FrameCache(spied as typeof connection, 250).of('FRAMES-1-0')
  for (const [value, seq] of seqs.entries()) frames.keep(seq, new Uint8Array(100).fill(value))
  // A frame that is delivered again must not count twice.
  frames.keep(seqs[3]!, new Uint8Array(100).fill(3))
  for (const [value, seq] of seqs.entries()) t.same([...(await frames.get(seq))!], Array(100).fill(value))
  t.same(
    requests,
    [JSON.stringify({ seq: seqs[0] }), JSON.stringify({ seq: seqs[1] })],
    'two of 100 bytes fit into 250',
  )
  t.equal(await frames.get(999), undefined, 'a frame that is not in the stream is undefined')
})

t.test('an owner drops its own frames that are not needed, and no others', async (t) => {
  const cache = new FrameCache({
    request: async () => {
      throw new Error('asked the stream')
    },
  })
  const [a, b] = [cache.of('A'), cache.of('B')]
  const ownerOf = (seq: number) => (seq % 2 === 0 ? b : a)
  for (let seq = 1; seq <= 6; seq++) ownerOf(seq).keep(seq, new Uint8Array(10).fill(seq))
  a.keep(2, new Uint8Array(10).fill(20))
  t.equal((await a.get(2))![0], 20, 'sequences of two streams are different frames')
  a.drop(2)
  t.equal(cache.held, 50)
  a.keep(1, new Uint8Array(10).fill(1))
  a.drop(3, new Set([1]))
  t.equal(cache.held, 50, '3 is gone; 1 is needed, 5 is later, 2, 4 and 6 belong to another owner')
  for (const seq of [1, 2, 4, 5, 6]) t.same((await ownerOf(seq).get(seq))![0], seq)
  await t.rejects(a.get(3), { message: 'asked the stream' })
  b.drop()
  a.drop()
  t.equal(cache.held, 0)
})

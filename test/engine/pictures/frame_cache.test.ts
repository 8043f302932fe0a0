import t from 'tap'
import { FrameCache } from '../../../engine/pictures/frame_cache.js'
import { setupNats } from '../../../engine/nats/setup.js'
import { framesSubject } from '../../../engine/nats/topology.js'
import { startTestNats } from '../../servers/nats.js'

t.test('the newest frames are kept within the bound, older ones come back from the stream', async (t) => {
  const connection = await (await startTestNats(t)).connect()
  await setupNats(connection, { framesMaxBytes: 10_000_000, replicas: 1 })
  const seqs: number[] = []
  for (let value = 0; value < 4; value++) {
    seqs.push((await connection.jetstream().publish(framesSubject('main-st'), new Uint8Array(100).fill(value))).seq)
  }
  const asked: string[] = []
  const spied = {
    request: (subject: string, payload: string, options: { timeout: number }) => {
      asked.push(payload)
      return connection.request(subject, payload, options)
    },
  }
  const recent = new FrameCache(spied as typeof connection, 250)
  const owner = {}
  for (const [value, seq] of seqs.entries()) recent.keep(owner, seq, new Uint8Array(100).fill(value))
  // a frame that is delivered again must not use up the bound twice
  recent.keep(owner, seqs[3]!, new Uint8Array(100).fill(3))
  for (const [value, seq] of seqs.entries()) t.same([...(await recent.get(seq))!], Array(100).fill(value))
  t.same(asked, [JSON.stringify({ seq: seqs[0] }), JSON.stringify({ seq: seqs[1] })], 'two of 100 bytes fit into 250')
  t.equal(await recent.get(999), undefined, 'what the stream does not have is nowhere')
})

t.test('an owner gives back what nobody will want, and nothing of another', async (t) => {
  const recent = new FrameCache({
    request: async () => {
      throw new Error('asked the stream')
    },
  })
  const [a, b] = [{}, {}]
  for (let seq = 1; seq <= 6; seq++) recent.keep(seq % 2 === 0 ? b : a, seq, new Uint8Array(10).fill(seq))
  recent.drop(a, 3, new Set([1]))
  t.equal(recent.held, 50, '3 is gone; 1 is wanted, 5 is later, 2, 4 and 6 are of another')
  for (const seq of [1, 2, 4, 5, 6]) t.same((await recent.get(seq))![0], seq)
  await t.rejects(recent.get(3), { message: 'asked the stream' })
  recent.drop(b)
  recent.drop(a)
  t.equal(recent.held, 0)
})

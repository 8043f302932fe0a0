import t from 'tap'
import type { KV } from 'nats'
import type { Extracted } from '../../../engine/sources/source.js'
import { PoisonGuard } from '../../../engine/pipeline/poison_guard.js'
import { Semaphore } from '../../../engine/runtime/semaphore.js'

/** All processes share the bucket; everything else dies with a process. */
function bucket() {
  const values = new Map<string, string>()
  return {
    get: async (key: string) =>
      values.has(key) ? { operation: 'PUT', json: () => JSON.parse(values.get(key)!) as unknown } : null,
    put: async (key: string, text: string) => {
      values.set(key, text)
      return 1
    },
  } as unknown as KV
}

const fine: Extracted = { observed: [], rejected: [] }
const never = () => new Promise<Extracted>(() => {})
let processes = 0
const newProcess = () => ({ session: `process-${++processes}`, alone: new Semaphore(1) })
const soon = () => new Promise((resolve) => setTimeout(resolve, 5))

t.test('a frame that ends its process each time is dead-lettered after five, and only that one', async (t) => {
  const kv = bucket()
  for (const careful of [false, false, true, true, true]) {
    const guard = await PoisonGuard.begin(kv, '0', { committed: 10 }, newProcess())
    t.equal(guard.careful, careful)
    t.same(await guard.run(11, async () => fine), fine, 'the one before it is processed')
    // The process ends while it has this one.
    void guard.run(12, never)
    await soon()
  }
  const guard = await PoisonGuard.begin(kv, '0', { committed: 10 }, newProcess())
  t.same(await guard.run(11, async () => fine), fine)
  t.match(
    await guard.run(12, () => {
      throw new Error('touched')
    }),
    { observed: [], rejected: [{ error: { code: 'ALPR_ERR_FRAME_CRASHED', message: /ended 3 times/ } }] },
  )
  t.same(await guard.run(13, async () => fine), fine, 'the next one is processed')
})

t.test('a committed offset that advances and an occasional kill make no frame a dead letter', async (t) => {
  const kv = bucket()
  for (let committed = 0; committed < 5; committed++) {
    const guard = await PoisonGuard.begin(kv, '0', { committed }, newProcess())
    t.notOk(guard.careful, 'each tenure made progress')
    void guard.run(committed + 1, never)
    await soon()
  }
  const other = bucket()
  for (let n = 0; n < 3; n++) await PoisonGuard.begin(other, '0', { committed: 7 }, newProcess())
  for (const seq of [8, 9, 10, 11]) {
    // Killed from outside, each time with another frame in work.
    const guard = await PoisonGuard.begin(other, '0', { committed: 7 }, newProcess())
    void guard.run(seq, never)
    await soon()
  }
  t.same(await (await PoisonGuard.begin(other, '0', { committed: 7 }, newProcess())).run(11, async () => fine), fine)
})

t.test('a tenure that ends while its process lives is not a crash', async (t) => {
  const kv = bucket()
  const self = newProcess()
  for (let n = 0; n < 8; n++) {
    const guard = await PoisonGuard.begin(kv, '0', { committed: 3 }, self)
    t.same(await guard.run(4, async () => fine), fine)
  }
})

t.test('a frame that is done is not suspect when the frame of another partition ends the process', async (t) => {
  const kv = bucket()
  for (let n = 0; n < 5; n++) {
    const self = newProcess()
    const [a, b] = [
      await PoisonGuard.begin(kv, '0', { committed: 1 }, self),
      await PoisonGuard.begin(kv, '1', { committed: 1 }, self),
    ]
    await b.run(2, async () => fine)
    void a.run(2, never)
    await soon()
  }
  const self = newProcess()
  t.same(await (await PoisonGuard.begin(kv, '1', { committed: 1 }, self)).run(2, async () => fine), fine)
  t.match(await (await PoisonGuard.begin(kv, '0', { committed: 1 }, self)).run(2, async () => fine), {
    rejected: [{ error: { code: 'ALPR_ERR_FRAME_CRASHED' } }],
  })
})

t.test('while two partitions are careful, one frame is in work at a time', async (t) => {
  const kv = bucket()
  for (let n = 0; n < 2; n++)
    for (const partition of ['0', '1']) await PoisonGuard.begin(kv, partition, { committed: 1 }, newProcess())
  const self = newProcess()
  const [a, b] = [
    await PoisonGuard.begin(kv, '0', { committed: 1 }, self),
    await PoisonGuard.begin(kv, '1', { committed: 1 }, self),
  ]
  t.ok(a.careful && b.careful)
  let [atOnce, most] = [0, 0]
  const extract = async () => {
    most = Math.max(most, ++atOnce)
    await soon()
    atOnce--
    return fine
  }
  await Promise.all([a.run(2, extract), b.run(2, extract), a.run(3, extract), b.run(3, extract)])
  t.equal(most, 1)
})

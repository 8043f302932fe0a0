import t from 'tap'
import type { KV } from 'nats'
import type { Extracted } from '../../../engine/sources/source.js'
import { PoisonGuard } from '../../../engine/pipeline/poison_guard.js'
import { Semaphore } from '../../../engine/runtime/semaphore.js'

/** Buckets are shared by all processes; everything else dies with one. */
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

const fine: Extracted = { seen: [], refused: [] }
const lookAway = () => new Promise<Extracted>(() => {})
let processes = 0
const newProcess = () => ({ session: `process-${++processes}`, alone: new Semaphore(1) })
const soon = () => new Promise((resolve) => setTimeout(resolve, 5))

t.test('a frame that ends its process each time is set aside after five, and only that one', async (t) => {
  const kv = bucket()
  for (const careful of [false, false, true, true, true]) {
    const trial = await PoisonGuard.begin(kv, '0', 10, newProcess())
    t.equal(trial.careful, careful)
    t.same(await trial.guard(11, async () => fine), fine, 'the one before it is looked at')
    // The process ends while it has this one.
    void trial.guard(12, lookAway)
    await soon()
  }
  const trial = await PoisonGuard.begin(kv, '0', 10, newProcess())
  t.same(await trial.guard(11, async () => fine), fine)
  t.match(
    await trial.guard(12, () => {
      throw new Error('touched')
    }),
    { seen: [], refused: [{ error: { code: 'ALPR_ERR_FRAME_CRASHED', message: /ended 3 times/ } }] },
  )
  t.same(await trial.guard(13, async () => fine), fine, 'the next one is looked at')
})

t.test('a floor that moves, and a process that is killed now and then, condemn nobody', async (t) => {
  const kv = bucket()
  for (let floor = 0; floor < 5; floor++) {
    const trial = await PoisonGuard.begin(kv, '0', floor, newProcess())
    t.notOk(trial.careful, 'something was done each time')
    void trial.guard(floor + 1, lookAway)
    await soon()
  }
  const other = bucket()
  for (let n = 0; n < 3; n++) await PoisonGuard.begin(other, '0', 7, newProcess())
  for (const seq of [8, 9, 10, 11]) {
    // Killed from outside, each time with another frame in work.
    const trial = await PoisonGuard.begin(other, '0', 7, newProcess())
    void trial.guard(seq, lookAway)
    await soon()
  }
  t.same(await (await PoisonGuard.begin(other, '0', 7, newProcess())).guard(11, async () => fine), fine)
})

t.test('a tenure that ends while its process lives is no crash', async (t) => {
  const kv = bucket()
  const self = newProcess()
  for (let n = 0; n < 8; n++) {
    const trial = await PoisonGuard.begin(kv, '0', 3, self)
    t.same(await trial.guard(4, async () => fine), fine)
  }
})

t.test('a frame that was done is not suspected when the frame of another partition ends the process', async (t) => {
  const kv = bucket()
  for (let n = 0; n < 5; n++) {
    const self = newProcess()
    const [a, b] = [await PoisonGuard.begin(kv, '0', 1, self), await PoisonGuard.begin(kv, '1', 1, self)]
    await b.guard(2, async () => fine)
    void a.guard(2, lookAway)
    await soon()
  }
  const self = newProcess()
  t.same(await (await PoisonGuard.begin(kv, '1', 1, self)).guard(2, async () => fine), fine)
  t.match(await (await PoisonGuard.begin(kv, '0', 1, self)).guard(2, async () => fine), {
    refused: [{ error: { code: 'ALPR_ERR_FRAME_CRASHED' } }],
  })
})

t.test('while two partitions are careful, one frame is in work at a time', async (t) => {
  const kv = bucket()
  for (let n = 0; n < 2; n++)
    for (const partition of ['0', '1']) await PoisonGuard.begin(kv, partition, 1, newProcess())
  const self = newProcess()
  const [a, b] = [await PoisonGuard.begin(kv, '0', 1, self), await PoisonGuard.begin(kv, '1', 1, self)]
  t.ok(a.careful && b.careful)
  let [atOnce, most] = [0, 0]
  const look = async () => {
    most = Math.max(most, ++atOnce)
    await soon()
    atOnce--
    return fine
  }
  await Promise.all([a.guard(2, look), b.guard(2, look), a.guard(3, look), b.guard(3, look)])
  t.equal(most, 1)
})

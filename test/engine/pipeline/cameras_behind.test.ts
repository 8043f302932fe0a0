import t from 'tap'
import { CamerasBehind } from '../../../engine/pipeline/cameras_behind.js'
import { ReadyMessages } from '../../../engine/pipeline/ready_messages.js'
import type { StreamMessage } from '../../../engine/partition/partition_consumer.js'
import { AlprError } from '../../../engine/errors.js'
import { until } from '../../until.js'

const messageOf = (seq: number): StreamMessage => ({
  seq,
  subject: 'frames.slow',
  camera: 'slow',
  arrivedAt: 1_000 + seq,
  headers: undefined,
  header: () => undefined,
  payload: new Uint8Array(1_000),
})

const REFUSED = {
  observed: [],
  rejected: [{ error: new AlprError('ALPR_ERR_CAMERA_BEHIND', { camera: 'slow', waiting: 2, limit: 1 }) }],
}

/** Cameras behind whose look-ups the test answers. */
function behindWith() {
  const asked: { from: number; answer(message: StreamMessage | undefined): void }[] = []
  const ready = new ReadyMessages()
  const ending = new AbortController()
  const behind = new CamerasBehind(
    {
      stream: 'FRAMES-1-0',
      workers: 1,
      findNext: (_, from) => new Promise((answer) => asked.push({ from, answer })),
      extract: () => Promise.resolve({ observed: [], rejected: [] }),
      refuse: () => REFUSED,
      ready,
      ending: ending.signal,
    },
    [],
    { seq: 0 },
  )
  return { asked, ready, behind, ending }
}

t.test('a message that is passed over while the stream answers that there is none is read', async (t) => {
  const { asked, ready, behind, ending } = behindWith()
  behind.begin([messageOf(1)])
  behind.resume('slow')
  await until(() => asked.length === 1)
  asked[0]!.answer(messageOf(1))
  const first = await ready.next(() => false)
  first!.done()
  await until(() => asked.length === 2)
  t.ok(behind.pass(messageOf(2)), 'the camera is still behind')
  asked[1]!.answer(undefined)
  await until(() => asked.length === 3)
  t.equal(asked[2]!.from, 2)
  asked[2]!.answer(messageOf(2))
  t.equal((await ready.next(() => false))?.message.seq, 2)
  t.match(behind.takePositions(2), [{ camera: 'slow', done: 1 }], 'it is done when it is applied')
  ending.abort()
})

t.test('a camera that has caught up is behind no more', async (t) => {
  const { asked, ready, behind } = behindWith()
  behind.begin([messageOf(5), messageOf(7)])
  t.equal(behind.waiting, 2)
  behind.resume('slow')
  for (const [n, seq] of [5, 7].entries()) {
    await until(() => asked.length === n + 1)
    asked[n]!.answer(messageOf(seq))
    const next = await ready.next(() => false)
    next!.done()
  }
  await until(() => asked.length === 3)
  asked[2]!.answer(messageOf(9))
  await until(() => behind.size === 0)
  t.notOk(behind.pass(messageOf(9)))
  t.ok(behind.hasChanged)
  t.same(behind.takePositions(9), [])
})

t.test('a message of another life of the stream is refused', async (t) => {
  const { asked, ready, behind } = behindWith()
  behind.begin([messageOf(3)])
  behind.resume('slow')
  await until(() => asked.length === 1)
  asked[0]!.answer({ ...messageOf(3), arrivedAt: 99_000 })
  await t.rejects(
    ready.next(() => false),
    { code: 'ALPR_ERR_STREAM_CHANGED' },
  )
})

t.test('positions say what waits up to the message that a checkpoint covers', async (t) => {
  const { asked, ready, behind } = behindWith()
  behind.begin([messageOf(5), messageOf(7)])
  behind.pass(messageOf(9))
  const sizeOne = behind.takePositions(5)[0]!.bytes!
  t.ok(sizeOne > 1_000 && sizeOne < 1_500)
  t.match(behind.takePositions(5), [{ done: 4, waiting: 1 }])
  t.match(behind.takePositions(8), [{ done: 4, waiting: 2, bytes: 2 * sizeOne }])
  behind.resume('slow')
  await until(() => asked.length === 1)
  asked[0]!.answer(messageOf(5))
  ;(await ready.next(() => false))!.done()
  t.match(behind.takePositions(8), [{ done: 5, waiting: 1, bytes: sizeOne }])
  t.match(behind.takePositions(9), [{ done: 5, waiting: 2, bytes: 2 * sizeOne }])
})

t.test('beyond its bound, the oldest messages of a camera are refused, and no others', async (t) => {
  const { asked, ready, behind } = behindWith()
  behind.begin([1, 2, 3, 4].map(messageOf))
  const size = behind.takePositions(4)[0]!.bytes! / 4
  behind.bound(2.5 * size, 3)
  t.equal(behind.sharers, 3)
  behind.resume('slow')
  const refused: boolean[] = []
  for (const seq of [1, 2, 3, 4]) {
    await until(() => asked.length === seq)
    asked[seq - 1]!.answer(messageOf(seq))
    const next = (await ready.next(() => false))!
    refused.push(next.extracted.rejected.length > 0)
    next.done()
  }
  t.same(refused, [true, true, false, false])
  behind.bound(Infinity, 0)
  t.equal(behind.sharers, 0)
})

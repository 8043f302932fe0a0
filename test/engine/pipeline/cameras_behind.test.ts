import t from 'tap'
import { CamerasBehind } from '../../../engine/pipeline/cameras_behind.js'
import { ReadyMessages } from '../../../engine/pipeline/ready_messages.js'
import type { StreamMessage } from '../../../engine/partition/partition_consumer.js'
import { until } from '../../until.js'

const messageOf = (seq: number): StreamMessage => ({
  seq,
  subject: 'frames.slow',
  camera: 'slow',
  arrivedAt: 1_000 + seq,
  headers: undefined,
  header: () => undefined,
  payload: new Uint8Array(),
})

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
  t.match(behind.takePositions(), [{ camera: 'slow', done: 1 }], 'it is done when it is applied')
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
  t.same(behind.takePositions(), [])
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

import t from 'tap'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LedgerRow } from '../../../engine/model/ledger.js'
import { GroupWriter } from '../../../engine/store/group_writer.js'
import type { StoreBatch } from '../../../engine/store/writer.js'

const row = (part: number): LedgerRow => ({
  camera: 'main-st',
  part,
  hour: 0,
  framesIn: 1,
  withReads: 0,
  withoutPlate: 1,
  dead: 0,
  version: part,
})
const batch = (part: number): StoreBatch => ({ reads: [], hits: [], ledger: [row(part)] })

/** Simulates a slow store: the test finishes each write by hand. */
class SlowWriter {
  readonly writes: { parts: number[]; finish: (error?: Error) => void }[] = []
  write({ ledger }: StoreBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.writes.push({
        parts: ledger.map(({ part }) => part),
        finish: (error) => (error ? reject(error) : resolve()),
      })
    })
  }
}

const GATHER_MS = 20
const writerOf = (slow: SlowWriter) => new GroupWriter(slow, GATHER_MS)
/** Waits as long as a group gathers batches: of two timers of one length, that of the writer began first. */
const afterGathering = () => sleep(GATHER_MS)

t.test('batches that arrive within the gathering time are one group', async (t) => {
  const slow = new SlowWriter()
  const writer = writerOf(slow)
  const sent = [writer.write(batch(1))]
  await new Promise(setImmediate)
  sent.push(writer.write(batch(2)), writer.write(batch(3)))
  t.equal(slow.writes.length, 0)
  await afterGathering()
  t.same(
    slow.writes.map(({ parts }) => parts),
    [[1, 2, 3]],
  )
  slow.writes[0]!.finish()
  await Promise.all(sent)
})

t.test(
  'batches that arrive during an insert are written together, once, and each caller learns of its own',
  async (t) => {
    const slow = new SlowWriter()
    const writer = writerOf(slow)
    const resolved: number[] = []
    const send = (part: number) => writer.write(batch(part)).then(() => resolved.push(part))
    const sent = [send(1)]
    await afterGathering()
    sent.push(send(2), send(3))
    await afterGathering()
    t.same(
      slow.writes.map((write) => write.parts),
      [[1]],
    )
    slow.writes[0]!.finish()
    await afterGathering()
    t.same(resolved, [1])
    t.same(slow.writes[1]!.parts, [2, 3])
    slow.writes[1]!.finish()
    await Promise.all(sent)
    t.same(resolved, [1, 2, 3])
  },
)

t.test('a large group does not wait for the previous one, a third group does', async (t) => {
  const large = (part: number): StoreBatch => ({
    ...batch(part),
    ledger: Array.from({ length: 10_000 }, () => row(part)),
  })
  const slow = new SlowWriter()
  const writer = writerOf(slow)
  const sent = [writer.write(batch(1))]
  await afterGathering()
  sent.push(writer.write(batch(2)))
  await afterGathering()
  t.same(slow.writes.length, 1, 'a small group waits')
  sent.push(writer.write(large(3)), writer.write(large(4)))
  t.same(
    slow.writes.map(({ parts }) => [...new Set(parts)]),
    [[1], [2, 3]],
  )
  slow.writes[1]!.finish()
  await afterGathering()
  t.same([...new Set(slow.writes[2]!.parts)], [4])
  slow.writes[0]!.finish()
  slow.writes[2]!.finish()
  await Promise.all(sent)
})

t.test('a failed group fails only its own batches, which can be written again', async (t) => {
  const slow = new SlowWriter()
  const writer = writerOf(slow)
  const first = writer.write(batch(1))
  await afterGathering()
  const second = writer.write(batch(2))
  slow.writes[0]!.finish(new Error('refused'))
  await t.rejects(first, { message: 'refused' })
  await afterGathering()
  slow.writes[1]!.finish()
  await second
  const again = writer.write(batch(1))
  await afterGathering()
  slow.writes[2]!.finish()
  await again
  t.same(
    slow.writes.map((write) => write.parts),
    [[1], [2], [1]],
  )
})

t.test('an empty batch resolves without an insert', async (t) => {
  const slow = new SlowWriter()
  await new GroupWriter(slow).write({ reads: [], hits: [], ledger: [] })
  t.equal(slow.writes.length, 0)
})

import fc from 'fast-check'
import t from 'tap'
import type { NatsConnection } from 'nats'
import { ENTRANCE, stateStreamOf } from '../../../engine/nats/topology.js'
import { CheckpointLog } from '../../../engine/partition/checkpoint_log.js'
import type { Position } from '../../../engine/partition/position.js'
import { decidedHit } from '../hits/decided.js'
import { startTestNats } from '../../servers/nats.js'

const PARTITION = { entrance: ENTRANCE.frames, count: 1, index: 0 }
const STREAM = stateStreamOf(PARTITION)

const position = (committed: number): Position => ({
  committed,
  committedAt: committed * 1_000,
  wanted: committed + 1,
  stream: { created: '2026-01-05T12:00:00Z', epoch: 7 },
})

const open = async (connection: NatsConnection) =>
  CheckpointLog.open(connection.jetstream(), await connection.jetstreamManager(), PARTITION)

const text = (camera: string, n: number): [string, string] => [camera, `[5,{"camera":"${camera}","n":${n}}]`]

t.test('an owner finds what the previous one saved', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const first = await open(connection)
  t.equal(first.position, undefined, 'there is nothing yet')
  await first.prepare({ position: position(42), states: [text('a', 1), text('b', 1)] }).write()
  await first.prepare({ position: position(43), states: [text('b', 2), text('c', 1)], gone: ['a'] }).write()

  const second = await open(connection)
  t.same(second.position, position(43))
  t.same([...second.cameras].sort(), [text('b', 2), text('c', 1)])
  t.same(await CheckpointLog.positionOf(await connection.jetstreamManager(), PARTITION), position(43))
})

t.test('an owner that was replaced without noticing is refused', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const old = await open(connection)
  await old.prepare({ position: position(1), states: [text('a', 1)] }).write()
  const fresh = await open(connection)
  await fresh.prepare({ position: position(1), states: [] }).write()
  const late = old.prepare({ position: position(2), states: [text('a', 2)] })
  await t.rejects(late.write(), { code: 'ALPR_ERR_STATE_FENCED' })
  t.same((await open(connection)).position, position(1))
})

t.test('a write whose answer was lost, and is tried again, does not look like another owner', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const log = await open(connection)
  const append = log.prepare({ position: position(5), states: [text('a', 5)] })
  await append.write()
  const twin = await open(connection)
  const [one, two] = [log, twin].map((each) => each.prepare({ position: position(6), states: [text('a', 6)] }))
  // What arrives first stands for the write whose answer was lost: the same bytes.
  await two!.write()
  await one!.write()
  t.same((await open(connection)).position, position(6))
})

t.test('a checkpoint that was cut short never happened', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const manager = await connection.jetstreamManager()
  const log = await open(connection)
  await log.prepare({ position: position(1), states: [text('a', 1)] }).write()
  const big = Array.from({ length: 40 }, (_, n): [string, string] => [`c${n}`, `[5,"${'x'.repeat(50_000)}"]`])
  await log.prepare({ position: position(2), states: big }).write()
  const { state } = await manager.streams.info(STREAM)
  t.ok(state.messages > 3, `${state.messages} records`)
  // The engine was killed before the last record of the second checkpoint.
  await manager.streams.deleteMessage(STREAM, state.last_seq)
  const next = await open(connection)
  t.same(next.position, position(1))
  t.same([...next.cameras], [text('a', 1)])
  t.same(await CheckpointLog.positionOf(manager, PARTITION), position(1))
  await next.prepare({ position: position(3), states: [text('b', 3)] }).write()
  t.same([...(await open(connection)).cameras].sort(), [text('a', 1), text('b', 3)])
})

t.test('any series of checkpoints gives the same states again, and the log stays small', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const manager = await connection.jetstreamManager()
  const change = fc.record({
    states: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(9)), { maxLength: 3 }),
    gone: fc.subarray(['a', 'b', 'c', 'd']),
    snapshot: fc.boolean(),
    reopen: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      let log = await open(connection)
      const expected = new Map(log.cameras)
      let committed = log.position?.committed ?? 0
      for (const { states, gone, snapshot, reopen } of changes) {
        const texts = states.filter(([camera]) => !gone.includes(camera)).map(([camera, n]) => text(camera, n))
        for (const [camera, one] of texts) expected.set(camera, one)
        for (const camera of gone) expected.delete(camera)
        await log.prepare({ position: position(++committed), states: texts, gone }, snapshot).write()
        if (reopen) log = await open(connection)
      }
      const last = await open(connection)
      t.same(last.position, position(committed))
      t.same([...last.cameras].sort(), [...expected].sort())
    }),
    { numRuns: 25 },
  )
  const log = await open(connection)
  await log.prepare({ position: position(1_000), states: [] }, true).write()
  t.equal((await manager.streams.info(STREAM)).state.messages, 1, 'a snapshot replaces what was before it')
})

t.test('a decided hit is found until a checkpoint contains it, also after other checkpoints', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const log = await open(connection)
  await (await log.prepare({ position: position(1), states: [text('a', 1)] })).write()
  const big = Array.from({ length: 40 }, (_, n): [string, string] => [`c${n}`, `[5,"${'x'.repeat(50_000)}"]`])
  const checkpoint = await log.prepare({ position: position(2), states: big }, true)
  // Hits are decided while a checkpoint of several records is being written.
  const [first] = await Promise.all([
    (await log.prepareHit(decidedHit())).write(),
    checkpoint.write(),
    (await log.prepareHit(decidedHit({ revision: 2 }))).write(),
  ])
  const second = await open(connection)
  t.same(second.position, position(2))
  t.equal(second.cameras.size, 41)
  t.same([...second.decided.values()], [decidedHit(), decidedHit({ revision: 2 })])

  await (await second.prepare({ position: position(3), states: [], decided: [first] }, true)).write()
  const third = await open(connection)
  t.same([...third.decided.values()], [decidedHit({ revision: 2 })])
  await (await third.prepare({ position: position(4), states: [], decided: [...third.decided.keys()] }, true)).write()
  const last = await open(connection)
  t.equal(last.decided.size, 0)
  t.equal(last.cameras.size, 41)
})

t.test('an owner that was replaced decides nothing', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const old = await open(connection)
  await (await old.prepare({ position: position(1), states: [] })).write()
  await (await (await open(connection)).prepare({ position: position(1), states: [] })).write()
  await t.rejects((await old.prepareHit(decidedHit())).write(), { code: 'ALPR_ERR_STATE_FENCED' })
  t.equal((await open(connection)).decided.size, 0)
})

t.test('what follows a write that failed is behind it', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const manager = await connection.jetstreamManager()
  const js = connection.jetstream()
  let unheard = true
  const deaf = {
    publish: async (...args: Parameters<typeof js.publish>) => {
      const answer = await js.publish(...args)
      if (unheard) throw new Error('no answer')
      return answer
    },
  } as typeof js
  const log = await CheckpointLog.open(deaf, manager, PARTITION)
  const first = await log.prepareHit(decidedHit())
  await t.rejects(first.write(), { message: 'no answer' })
  unheard = false
  const second = await (await log.prepareHit(decidedHit({ revision: 2 }))).write()
  t.equal(await first.write(), second - 1, 'its second attempt finds that it was written')
  t.equal((await open(connection)).decided.size, 2)
})

import fc from 'fast-check'
import t from 'tap'
import type { NatsConnection } from 'nats'
import { ENTRANCE, stateStreamOf, stateSubjectOf } from '../../../engine/nats/topology.js'
import { CheckpointLog } from '../../../engine/partition/checkpoint_log.js'
import { deflated } from '../../../engine/partition/log_record.js'
import type { Position } from '../../../engine/partition/position.js'
import { decidedHit } from '../hits/decided.js'
import { startTestNats } from '../../servers/nats.js'

t.setTimeout(180_000)

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

const revisionOf = ({ hit }: { hit: { revision: number } }): number => hit.revision

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

t.test('any series of checkpoints and hits is read again as it was, and the log stays small', async (t) => {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const manager = await connection.jetstreamManager()
  let purging = true
  const hindered = Object.assign(Object.create(manager) as typeof manager, {
    streams: Object.assign(Object.create(manager.streams) as typeof manager.streams, {
      purge: (...args: Parameters<typeof manager.streams.purge>) =>
        purging ? manager.streams.purge(...args) : Promise.reject(new Error('no answer')),
    }),
  })
  const openHindered = () => CheckpointLog.open(connection.jetstream(), hindered, PARTITION)
  const change = fc.record({
    states: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(9)), { maxLength: 3 }),
    gone: fc.subarray(['a', 'b', 'c', 'd']),
    before: fc.nat(3),
    contained: fc.array(fc.nat(9)),
    during: fc.nat(2),
    snapshot: fc.boolean(),
    purging: fc.boolean(),
    reopen: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      let log = await openHindered()
      const cameras = new Map(log.cameras)
      const hits = new Map(log.decided)
      let committed = log.position?.committed ?? 0
      let revision = 0
      const decide = (count: number) => {
        const decided = Array.from({ length: count }, () => decidedHit({ revision: ++revision }))
        return Promise.all(decided.map(async (hit) => hits.set(await log.prepareHit(hit).write(), hit)))
      }
      for (const one of changes) {
        purging = one.purging
        const texts = one.states.filter(([camera]) => !one.gone.includes(camera)).map(([camera, n]) => text(camera, n))
        for (const [camera, state] of texts) cameras.set(camera, state)
        for (const camera of one.gone) cameras.delete(camera)
        await decide(one.before)
        const decided = [...hits.keys()].filter((_, n) => one.contained.includes(n))
        for (const place of decided) hits.delete(place)
        const checkpoint = { position: position(++committed), states: texts, gone: one.gone, decided }
        await Promise.all([decide(one.during), log.prepare(checkpoint, one.snapshot).write()])
        if (one.reopen) log = await openHindered()
      }
      const last = await open(connection)
      t.same(last.position, position(committed))
      t.same([...last.cameras].sort(), [...cameras].sort())
      t.same([...last.decided], [...hits])
    }),
    { numRuns: 25 },
  )
  purging = true
  const log = await open(connection)
  await log.prepare({ position: position(1_000), states: [] }, true).write()
  t.equal((await manager.streams.info(STREAM)).state.messages, 1, 'a snapshot replaces what was before it')
  t.same([...(await open(connection)).decided], [...log.decided])
})

t.test('a decided hit is found until a checkpoint contains it, also after other checkpoints', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const log = await open(connection)
  await log.prepare({ position: position(1), states: [text('a', 1)] }).write()
  const big = Array.from({ length: 40 }, (_, n): [string, string] => [`c${n}`, `[5,"${'x'.repeat(50_000)}"]`])
  const checkpoint = log.prepare({ position: position(2), states: big }, true)
  // Hits are decided while a checkpoint of several records is being written.
  const [first] = await Promise.all([
    log.prepareHit(decidedHit()).write(),
    checkpoint.write(),
    log.prepareHit(decidedHit({ revision: 2 })).write(),
  ])
  const second = await open(connection)
  t.same(second.position, position(2))
  t.equal(second.cameras.size, 41)
  t.same([...second.decided.values()], [decidedHit(), decidedHit({ revision: 2 })])

  await second.prepare({ position: position(3), states: [], decided: [first] }, true).write()
  const third = await open(connection)
  t.same([...third.decided.values()], [decidedHit({ revision: 2 })])
  await third.prepare({ position: position(4), states: [], decided: [...third.decided.keys()] }, true).write()
  const last = await open(connection)
  t.equal(last.decided.size, 0)
  t.equal(last.cameras.size, 41)
})

t.test('an owner that was replaced decides nothing', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const old = await open(connection)
  await old.prepare({ position: position(1), states: [] }).write()
  await (await (await open(connection)).prepare({ position: position(1), states: [] })).write()
  await t.rejects(old.prepareHit(decidedHit()).write(), { code: 'ALPR_ERR_STATE_FENCED' })
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
  const [first, second, third] = [1, 2, 3].map((revision) => log.prepareHit(decidedHit({ revision })))
  const failed = await Promise.allSettled([first!.write(), second!.write()])
  t.match(failed, [{ reason: { message: 'no answer' } }, { reason: { message: 'no answer' } }])
  unheard = false
  const place = await third!.write()
  const earlier = await Promise.all([first!.write(), second!.write()])
  t.ok(earlier[0]! < earlier[1]! && earlier[1]! < place, 'a second attempt finds that the first was written')
  const { decided } = await open(connection)
  t.same([...decided.keys()], [...earlier, place])
  t.same([...decided.values()].map(revisionOf), [1, 2, 3])
})

t.test('hits of a burst share records, keep their order, and let a checkpoint between', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const manager = await connection.jetstreamManager()
  const log = await open(connection)
  const order: number[] = []
  const decide = async (revision: number) => {
    const place = await log.prepareHit(decidedHit({ revision })).write()
    order.push(revision)
    return place
  }
  const burst = (from: number) => Array.from({ length: 600 }, (_, n) => decide(from + n))
  const [places] = await Promise.all([
    Promise.all(burst(1)),
    log.prepare({ position: position(1), states: [text('a', 1)] }).write(),
  ])
  t.same(
    order,
    Array.from(places.keys(), (n) => n + 1),
  )
  const { state } = await manager.streams.info(STREAM)
  t.ok(state.messages <= 5, `${state.messages} records`)
  const next = await open(connection)
  t.same([...next.decided.keys()], places)
  t.same([...next.decided.values()].map(revisionOf), order)
  t.equal(next.cameras.size, 1)
})

t.test('a hit of any size that NATS takes is noted', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const log = await open(connection)
  const large = ['x', 'y', 'z'].map((letter) => decidedHit({ reason: letter.repeat(700_000) }))
  await Promise.all(large.map((hit) => log.prepareHit(hit).write()))
  t.same([...(await open(connection)).decided.values()], large)
})

t.test('hits alone make a snapshot due, which carries those that no checkpoint contains', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const manager = await connection.jetstreamManager()
  const log = await open(connection)
  await log.prepare({ position: position(1), states: [text('a', 1)] }).write()
  const decide = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => log.prepareHit(decidedHit({ revision: n + 1 })).write()))
  const decided: number[] = []
  for (let epochs = 0; !log.snapshotDue && epochs < 20; epochs++) {
    decided.push(...(await decide(500)))
    t.equal((await open(connection)).snapshotDue, log.snapshotDue, 'a reader of the log knows')
  }
  t.equal(log.snapshotDue, true, `after ${decided.length} hits`)
  const carried = decided.splice(10, 5)
  const snapshot = log.prepare({ position: position(2), states: [], decided })
  const [later] = await Promise.all([decide(1), snapshot.write()])
  t.equal(log.snapshotDue, false)
  const { messages } = (await manager.streams.info(STREAM)).state
  t.equal(messages, 2, 'the snapshot and what was decided meanwhile')

  const next = await open(connection)
  t.same([...next.decided.keys()], [...carried, ...later])
  t.same([...next.decided.values()].map(revisionOf), [11, 12, 13, 14, 15, 1])
  await next.prepare({ position: position(3), states: [], decided: carried }).write()
  t.same([...(await open(connection)).decided.keys()], later)
})

t.test('a snapshot is due after many records, however small', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const js = connection.jetstream()
  const log = await open(connection)
  await log.prepare({ position: position(1), states: [text('a', 1)] }).write()
  const record = await deflated({ part: -1, hits: [], states: {}, patches: {} })
  const append = async (count: number) => {
    const one = () => js.publish(stateSubjectOf(PARTITION), record, { timeout: 20_000 })
    await Promise.all(Array.from({ length: count }, one))
  }
  await append(4_000)
  t.equal((await open(connection)).snapshotDue, false)
  await append(1)
  t.equal((await open(connection)).snapshotDue, true)
})

t.test('the position is found before any number of records that have none', async (t) => {
  const connection = await (await startTestNats(t, { partitions: 1 })).connect()
  const manager = await connection.jetstreamManager()
  t.equal(await CheckpointLog.positionOf(manager, PARTITION), undefined)
  const log = await open(connection)
  await log.prepare({ position: position(7), states: [text('a', 1)] }).write()
  const js = connection.jetstream()
  const record = await deflated({ part: -1, hits: [], states: {}, patches: {} })
  for (let n = 0; n < 150; n++) await js.publish(stateSubjectOf(PARTITION), record)
  t.same(await CheckpointLog.positionOf(manager, PARTITION), position(7))
})

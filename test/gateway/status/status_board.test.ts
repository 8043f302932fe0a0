import t from 'tap'
import type { EngineStatus } from '../../../engine/mod.js'
import { StatusBoard } from '../../../gateway/status/status_board.js'
import { makeStatus } from '../fixtures/status.js'

t.test('what engines wait for and which partitions none holds is known, and since when', async (t) => {
  const board = new StatusBoard()
  const allPartitions = ['frames-2-0', 'frames-2-1']
  const before = Date.now()
  board.put(makeStatus({ waiting: { nats: 'no answer' }, partitions: ['frames-2-0'], allPartitions }))
  const [wait] = board.waits()
  t.match(wait, { instance: 'e1', what: 'nats' })
  t.ok(wait!.since >= before)
  t.match(board.uncovered(), [{ partition: 'frames-2-1', reason: undefined }])
  const { since } = board.uncovered()[0]!
  board.put(
    makeStatus({
      waiting: { nats: 'refused', clickhouse: 'no answer' },
      partitions: ['frames-2-0'],
      allPartitions,
      failing: { 'frames-2-1': 'the stream was set back', 'frames-2-0': 'an old one' },
    }),
  )
  t.equal(board.waits()[0]!.since, wait!.since, 'the same thing, for another reason')
  t.equal(board.waits().length, 2)
  t.same(board.uncovered(), [{ partition: 'frames-2-1', since, reason: 'the stream was set back' }])
  board.put(makeStatus({ partitions: allPartitions, allPartitions }))
  t.same([board.waits(), board.uncovered()], [[], []])
})

t.test("rates and freshness follow the gateway's clock and survive an engine's restart", async (t) => {
  let now = 0
  const board = new StatusBoard(() => now)
  t.equal(board.rate('frames_total'), undefined)
  board.put(makeStatus())
  now += 1_000
  board.put(makeStatus({ counters: { frames_total: 120, reads_total: 10 } }))
  t.equal(board.rate('frames_total'), 20)
  now += 1_000
  board.put(makeStatus({ counters: { frames_total: 3, reads_total: 0 } }))
  t.equal(board.rate('frames_total'), undefined, 'a new process: unknown, not negative')
  t.equal(board.engines()[0]!.fresh, true)
  now += 5_001
  t.match(board.engines(), [{ instance: 'e1', fresh: false, ageMs: 5_001 }])
  t.equal(board.sumOf('frames_waiting'), undefined)
  now += 600_000
  t.same(board.engines(), [], 'forgotten')
  for (let i = 0; i < 400; i++) board.put(makeStatus({ instance: `flood-${i}` }))
  t.equal(board.engines().length, 256, 'bounded')
  board.put({} as EngineStatus)
})

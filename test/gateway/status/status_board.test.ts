import t from 'tap'
import type { EngineStatus } from '../../../engine/mod.js'
import { StatusBoard } from '../../../gateway/status/status_board.js'
import { makeStatus } from '../fixtures/status.js'

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

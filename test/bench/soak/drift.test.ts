import t from 'tap'
import { driftOf, type Sample } from '../../../bench/soak/drift.js'
import { demandComplete } from '../../../bench/soak/ledger_check.js'

const sample = (n: number, memory: number, files = 20): Sample => ({
  seconds: n,
  stored: n * 100,
  parts: { engine: { cpu: n, memory, mostMemory: memory, files } },
})

t.test('growth is measured after the warm-up, between means of a tenth of the samples', (t) => {
  const flat = Array.from({ length: 100 }, (_, n) => sample(n, n < 10 ? 100 + n * 20 : 300 + (n % 2)))
  t.match(driftOf(flat, 'engine', 'memory'), { first: 300.5, last: 300.5 }, 'the warm-up does not count as growth')
  const leaking = flat.map((_one, n) => sample(n, 300 + n, 20 + n))
  t.equal(driftOf(leaking, 'engine', 'memory').last - driftOf(leaking, 'engine', 'memory').first, 80)
  t.equal(driftOf(leaking, 'engine', 'files').last - driftOf(leaking, 'engine', 'files').first, 80)
  t.same(driftOf([sample(1, 5)], 'engine', 'memory'), { first: 5, last: 5 })
  t.same(driftOf(flat, 'no-such-part', 'memory'), { first: 0, last: 0 })
  t.end()
})

t.test('a ledger that does not add up is refused', (t) => {
  const row = (camera: string, frames: number, withReads: number, withoutPlate: number, dead = 0) => ({
    camera,
    frames,
    withReads,
    withoutPlate,
    dead,
  })
  const published = new Map([
    ['a', 10],
    ['b', 5],
  ])
  t.doesNotThrow(() => demandComplete([row('a', 10, 3, 6, 1), row('b', 5, 0, 5)], published))
  t.throws(() => demandComplete([row('a', 9, 3, 6), row('b', 5, 0, 5)], published), /a: 10 published, 9 in the ledger/)
  t.throws(
    () => demandComplete([row('a', 10, 3, 6), row('b', 5, 0, 5)], published),
    /a: 10 frames, but 3 with reads \+ 6 without a plate \+ 0 dead = 9/,
  )
  t.throws(() => demandComplete([row('a', 10, 4, 6)], published), /b: 5 published, 0 in the ledger/)
  t.throws(
    () => demandComplete([row('a', 10, 4, 6), row('b', 5, 0, 5), row('c', 1, 0, 1)], published),
    /c: no frame was published/,
  )
  t.end()
})

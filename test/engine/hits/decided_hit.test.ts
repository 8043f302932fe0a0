import t from 'tap'
import { type DecidedHit, EarlierHits } from '../../../engine/hits/decided_hit.js'
import { OpenPass } from '../../../engine/passes/pass.js'
import { detectionOf, frameOf } from '../passes/plates.js'
import { decidedHit } from './decided.js'

const earlier = (...decided: DecidedHit[]) => new EarlierHits(new Map(decided.map((one, n) => [100 + n, one])))

function passOf(frames: number): OpenPass {
  const pass = OpenPass.open('77', frameOf(1, 1_000), detectionOf('7ABC123', 100, 100))
  for (let n = 1; n < frames; n++) pass.extend(frameOf(n + 1, 1_000 + 200 * n), detectionOf('7ABC123', 100, 100), 2_000)
  return pass
}

t.test('what was decided is taken at the same point of the same pass, in order', async (t) => {
  const hits = earlier(
    decidedHit({}, { frames: 2 }),
    decidedHit({ list: 'wanted' }, { frames: 2 }),
    decidedHit({ revision: 2 }, { frames: 3, closing: true }),
  )
  t.same(hits.take(passOf(1), false), [], 'nothing was decided yet')
  t.equal(hits.has(passOf(1)), true)
  t.same(
    hits.take(passOf(2), false).map(({ place }) => place),
    [100, 101],
  )
  t.same(hits.take(passOf(3), false), [], 'the third frame was checked, and gave nothing')
  t.same(
    hits.take(passOf(3), true).map(({ place }) => place),
    [102],
  )
  t.equal(hits.has(passOf(3)), false)
})

t.test('a pass that ends elsewhere takes all that is left', async (t) => {
  const hits = earlier(decidedHit({}, { frames: 2 }), decidedHit({ revision: 2 }, { frames: 5 }))
  t.equal(hits.take(passOf(1), true).length, 2)
  t.equal(hits.has(passOf(1)), false)
})

t.test('hits are overdue when their last message was applied again, or their stream has another life', async (t) => {
  const hits = earlier(decidedHit({}, { seq: 5 }), decidedHit({ revision: 2 }, { seq: 9 }))
  t.same(
    hits.takeOverdue(() => 8, 7),
    [],
  )
  t.match(
    hits.takeOverdue(() => 9, 7),
    [[{ place: 100 }, { place: 101 }]],
  )
  t.same(
    hits.takeOverdue(() => 9, 7),
    [],
  )
  t.equal(earlier(decidedHit({}, { seq: 5 })).takeOverdue(() => 0, 8).length, 1)
})

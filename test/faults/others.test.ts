import t from 'tap'
import { FAULTS } from './faults.js'
import { runMatrix } from './matrix.js'

t.setTimeout(290_000)

/** Half of the matrix: a test file has five minutes. */
const faults = FAULTS.filter(({ name }) => !/^(engine|gateway|nats-server|store|NATS) /.test(name))

t.test('whatever fails, nothing is lost and nothing is doubled: others', async (t) => {
  const seed = Date.now() % 1_000_000
  t.comment(`seed ${seed}`)
  const results = await runMatrix({ seed, faults, seconds: 5, pauseMs: 25 })
  t.equal(results.length, faults.length + 1)
  for (const { fault, what, wrong, skipped, frames, recoveryMs } of results) {
    if (skipped) t.pass(fault, { skip: skipped })
    else t.same(wrong, [], `${fault} (${what}): ${frames} frames, a new one stored after ${Math.round(recoveryMs)} ms`)
  }
  t.ok((results[0]?.reads ?? 0) > 0 && (results[0]?.hits ?? 0) > 0, 'the frames bring reads and hits')
})

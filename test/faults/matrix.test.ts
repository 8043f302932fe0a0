import t from 'tap'
import { runMatrix } from './matrix.js'

t.setTimeout(280_000)

t.test('whatever fails, nothing is lost and nothing is doubled', async (t) => {
  const seed = Date.now() % 1_000_000
  t.comment(`seed ${seed}`)
  const results = await runMatrix({ seed })
  for (const { fault, what, wrong, skipped, frames, recoveryMs } of results) {
    if (skipped) t.pass(fault, { skip: skipped })
    else t.same(wrong, [], `${fault} (${what}): ${frames} frames, a new one stored after ${Math.round(recoveryMs)} ms`)
  }
  t.ok((results[0]?.reads ?? 0) > 3 && (results[0]?.hits ?? 0) > 0, 'the frames bring reads and hits')
})

import type { Test } from 'tap'
import { runMatrix, type MatrixOptions } from './matrix.js'

/** Causes the faults from a random, printed seed and asserts that each promise held. */
export async function assertFaults(t: Test, options: Omit<MatrixOptions, 'seed'>): Promise<void> {
  const seed = Date.now() % 1_000_000
  t.comment(`seed ${seed}`)
  const results = await runMatrix({ seed, ...options })
  if (results.length > 0 && results.every(({ skipped }) => skipped)) {
    for (const { fault, skipped } of results) t.pass(fault, { skip: skipped! })
    return
  }
  if (options.faults) t.equal(results.length, options.faults.length + 1)
  for (const { fault, what, wrong, skipped, frames, recoveryMs, took } of results) {
    if (skipped) t.pass(fault, { skip: skipped })
    else
      t.same(
        wrong,
        [],
        `${fault} (${what}): ${frames} frames, a new frame stored after ${Math.round(recoveryMs)} ms; ` +
          JSON.stringify(took),
      )
  }
  t.ok((results[0]?.reads ?? 0) > 0 && (results[0]?.hits ?? 0) > 0, 'the frames give reads and hits')
}

import t from 'tap'
import { CLUSTER_FAULTS, SCALE_FAULTS } from './faults.js'
import { runMatrix, type MatrixOptions } from './matrix.js'

t.setTimeout(280_000)

const setups: [what: string, options: Pick<MatrixOptions, 'faults' | 'parts'>][] = [
  ['two engines and two gateways share the cameras, and take over from each other', { faults: SCALE_FAULTS, parts: { engines: 2, gateways: 2 } }],
  ['three NATS servers that keep three copies, one dying at a time', { faults: CLUSTER_FAULTS, parts: { cluster: true } }],
]

for (const [what, options] of setups) {
  t.test(what, async (t) => {
    const seed = Date.now() % 1_000_000
    t.comment(`seed ${seed}`)
    const results = await runMatrix({ seed, seconds: 4, ...options })
    for (const { fault, what, wrong, frames, took } of results) t.same(wrong, [], `${fault} (${what}): ${frames} frames; ${JSON.stringify(took)}`)
    t.ok(results[0]!.reads > 0 && results[0]!.hits > 0, 'the frames bring reads and hits')
  })
}

import t from 'tap'
import { CLUSTER_FAULTS, SCALE_FAULTS } from './faults.js'
import { holds } from './holds.js'
import type { MatrixOptions } from './matrix.js'

t.setTimeout(280_000)

const setups: [what: string, options: Pick<MatrixOptions, 'faults' | 'parts'>][] = [
  [
    'two engines and two gateways share the cameras, and take over from each other',
    { faults: SCALE_FAULTS, parts: { engines: 2, gateways: 2 } },
  ],
  [
    'three NATS servers that keep three copies, one dying at a time',
    { faults: CLUSTER_FAULTS, parts: { cluster: true } },
  ],
]

for (const [what, options] of setups) t.test(what, (t) => holds(t, { seconds: 4, ...options }))

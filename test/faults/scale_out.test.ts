import t from 'tap'
import { CLUSTER_FAULTS, SCALE_FAULTS } from './faults.js'
import { assertFaults } from './assert_faults.js'
import type { MatrixOptions } from './matrix.js'

t.setTimeout(280_000)

const setups: [what: string, options: Pick<MatrixOptions, 'faults' | 'parts'>][] = [
  [
    'two engines and two gateways share the cameras and take over from each other',
    { faults: SCALE_FAULTS, parts: { engines: 2, gateways: 2 } },
  ],
  [
    'three NATS servers with three copies lose nothing when one at a time dies',
    { faults: CLUSTER_FAULTS, parts: { cluster: true } },
  ],
]

for (const [what, options] of setups) t.test(what, (t) => assertFaults(t, { seconds: 4, ...options }))

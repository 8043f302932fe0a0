import t from 'tap'
import { FAULTS } from './faults.js'
import { assertFaults } from './assert_faults.js'

t.setTimeout(290_000)

/** Half of the matrix, because a test file may run for five minutes. */
const faults = FAULTS.filter(({ name }) => /^(engine|gateway|nats-server|store|NATS) /.test(name))

t.test('nothing is lost or duplicated when a process or a connection between processes fails', (t) =>
  assertFaults(t, { faults, seconds: 5, pauseMs: 25 }),
)

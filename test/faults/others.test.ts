import t from 'tap'
import { FAULTS } from './faults.js'
import { assertFaults } from './assert_faults.js'

t.setTimeout(290_000)

/**
 * Half of the matrix, because a test file may run for five minutes. The poisoned process has its own file, with fewer
 * parts to restart.
 */
const faults = FAULTS.filter(({ name }) => !/^(engine|gateway|nats-server|store|NATS) |^poison process$/.test(name))

t.test('nothing is lost or duplicated when a disk fills, a clock jumps, a console stalls or a frame is poisoned', (t) =>
  assertFaults(t, { faults, seconds: 5, pauseMs: 25 }),
)

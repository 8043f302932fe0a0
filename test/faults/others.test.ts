import t from 'tap'
import { FAULTS } from './faults.js'
import { holds } from './holds.js'

t.setTimeout(290_000)

/**
 * Half of the matrix: a test file has five minutes. The poisoned process has a file of its own, with fewer parts to
 * start again.
 */
const faults = FAULTS.filter(({ name }) => !/^(engine|gateway|nats-server|store|NATS) |^poison process$/.test(name))

t.test('whatever fails, nothing is lost and nothing is doubled: others', (t) =>
  holds(t, { faults, seconds: 5, pauseMs: 25 }),
)

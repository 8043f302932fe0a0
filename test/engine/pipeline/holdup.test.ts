import t from 'tap'
import { Holdup } from '../../../engine/pipeline/holdup.js'

t.test('a position is held up while it should advance and does not', async (t) => {
  const holdup = new Holdup()
  t.equal(holdup.update(5, true, 1_000), 0)
  t.equal(holdup.update(5, true, 4_000), 3_000)
  t.equal(holdup.update(6, true, 5_000), 0, 'it advanced')
  t.equal(holdup.update(6, false, 9_000), 0, 'there is nothing more')
  t.equal(holdup.update(6, true, 10_000), 1_000, 'from when there was nothing')
})

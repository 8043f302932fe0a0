import fc from 'fast-check'
import t from 'tap'
import { untilBeat } from '../../../engine/pipeline/checkpointer.js'

t.test(
  'partitions make checkpoints at the same times, after half to one and a half intervals, however the last ones ended',
  async (t) => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.integer({ min: 50, max: 10_000 }), (now, every) => {
        const wait = untilBeat(now, every)
        const beats = (now + wait) / every
        return wait >= every / 2 - 1e-6 && wait <= every * 1.5 + 1e-6 && Math.abs(beats - Math.round(beats)) < 1e-4
      }),
    )
    t.equal(untilBeat(1_200, 1_000), 800)
    t.equal(untilBeat(1_700, 1_000), 1_300, 'the next time is too near')
  },
)

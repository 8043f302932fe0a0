import fc from 'fast-check'
import t from 'tap'
import { epochOf, ReadIds } from '../../../engine/model/read_id.js'

const ids = new ReadIds(epochOf('2026-11-22T03:10:00.123456789Z'))

t.test('ids are unique, fit in 64 bits and grow with the stream', async (t) => {
  const place = fc.tuple(fc.integer({ min: 1, max: 2 ** 36 - 1 }), fc.integer({ min: 0, max: 15 }))
  fc.assert(
    fc.property(place, place, ([seqA, indexA], [seqB, indexB]) => {
      const a = BigInt(ids.of(seqA, indexA))
      const b = BigInt(ids.of(seqB, indexB))
      const order = Math.sign(seqA - seqB) || Math.sign(indexA - indexB)
      return a < 2n ** 64n && Math.sign(Number(a - b)) === order
    }),
  )
  t.pass()
})

t.test('the same position gives the same id; another epoch gives others', async (t) => {
  t.equal(new ReadIds(epochOf('2026-11-22T03:10:59Z')).of(7, 1), ids.of(7, 1))
  t.not(new ReadIds(ids.epoch + 1).of(7, 1), ids.of(7, 1))
  t.equal(epochOf('1999-01-01T00:00:00Z'), 0, 'a clock that was never set')
})

t.test(
  'ids of the two entrances never collide, and a sequence that outgrows its bits still gives unique ids',
  async (t) => {
    const made = epochOf('2026-11-22T03:10:00Z')
    const [frames, detections] = [new ReadIds(made, 'frames'), new ReadIds(made, 'detections')]
    const ids = new Set<string>()
    for (const of of [frames, detections])
      for (const seq of [1, 2, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 36 - 1, 2 ** 36, 2 ** 36 + 1])
        for (const index of [0, 1, 15]) ids.add(of.of(seq, index))
    t.equal(ids.size, 2 * 9 * 3)
    for (const id of ids) t.ok(BigInt(id) < 2n ** 64n)
  },
)

import t from 'tap'
import fc from 'fast-check'
import { gapEntry } from '../../../gateway/live/entry.js'
import { Ring } from '../../../gateway/live/ring.js'

t.test('the ring holds the newest entries pushed, by position and by sequence', (t) => {
  fc.assert(
    fc.property(
      fc.nat(1_000),
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3_000 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 60, max: 3_000 }),
      (baseSeq, steps, maxEntries, maxChars) => {
        const ring = new Ring(baseSeq, maxEntries, maxChars)
        const pushed: number[] = []
        let seq = baseSeq
        for (const step of steps) {
          seq += step
          pushed.push(seq)
          ring.push(gapEntry(seq, seq))
          const kept = pushed.slice(-ring.size)
          const chars = kept.reduce((sum, one) => sum + gapEntry(one, one).frame.length, 0)
          if (ring.size > maxEntries || (chars > maxChars && ring.size > 1)) return false
        }
        const kept = pushed.slice(pushed.length - ring.size)
        if (ring.end !== pushed.length || ring.last !== (pushed.at(-1) ?? baseSeq)) return false
        if (ring.baseSeq !== (pushed[pushed.length - ring.size - 1] ?? baseSeq)) return false
        for (let position = ring.end - ring.size; position < ring.end; position++)
          if (ring.at(position)!.seq !== pushed[position]) return false
        // After any sequence that the ring covers, exactly the later ones follow.
        for (let since = ring.baseSeq; since <= seq + 1; since++) {
          const rest: number[] = []
          for (let position = ring.positionAfter(since); ring.at(position); position++)
            rest.push(ring.at(position)!.seq)
          if (rest.join() !== kept.filter((one) => one > since).join()) return false
        }
        return ring.at(ring.end) === undefined
      },
    ),
    { numRuns: 60 },
  )
  const ring = new Ring(0, 2)
  for (let seq = 1; seq <= 3; seq++) ring.push(gapEntry(seq, seq))
  t.equal(ring.has(0), false)
  t.throws(() => ring.at(0), RangeError, 'an evicted position is an error, never another entry')
  t.end()
})

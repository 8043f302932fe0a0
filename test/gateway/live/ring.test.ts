import t from 'tap'
import fc from 'fast-check'
import { Filter } from '../../../gateway/live/filter.js'
import { parseAckSubject } from '../../../gateway/live/ack_subject.js'
import { DelayMeter } from '../../../gateway/live/delay.js'
import { gapEntry } from '../../../gateway/live/entry.js'
import { Ring } from '../../../gateway/live/ring.js'

t.test('the ring is the tail of everything pushed, by position and by sequence', (t) => {
  fc.assert(
    fc.property(
      fc.nat(1_000),
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 3_000 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 60, max: 3_000 }),
      (floor, steps, maxEntries, maxChars) => {
        const ring = new Ring(floor, maxEntries, maxChars)
        const pushed: number[] = []
        let seq = floor
        for (const step of steps) {
          seq += step
          pushed.push(seq)
          ring.push(gapEntry(seq, seq))
          const kept = pushed.slice(-ring.size)
          const chars = kept.reduce((sum, one) => sum + gapEntry(one, one).frame.length, 0)
          if (ring.size > maxEntries || (chars > maxChars && ring.size > 1)) return false
        }
        const kept = pushed.slice(pushed.length - ring.size)
        if (ring.end !== pushed.length || ring.last !== (pushed.at(-1) ?? floor)) return false
        if (ring.baseSeq !== (pushed[pushed.length - ring.size - 1] ?? floor)) return false
        for (let position = ring.end - ring.size; position < ring.end; position++)
          if (ring.at(position)!.seq !== pushed[position]) return false
        // From any sequence that the ring still covers, exactly the later ones follow.
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

t.test('an area filter agrees with the plain rule, the date line included', (t) => {
  const hit = { list: 'a', camera: 'c', priority: 'high' as const }
  const degrees = (limit: number) => fc.double({ min: -limit, max: limit, noNaN: true })
  fc.assert(
    fc.property(
      degrees(180),
      degrees(90),
      degrees(180),
      degrees(90),
      degrees(90),
      degrees(180),
      (west, south, east, north, lat, lon) => {
        const inside =
          lat >= south && lat <= north && (west <= east ? lon >= west && lon <= east : !(lon > east && lon < west))
        return new Filter({ area: [west, south, east, north] }).matchesHit({ ...hit, lat, lon }) === inside
      },
    ),
  )
  t.equal(new Filter({}).matchesHit({ ...hit, lat: 0, lon: 0 }), true)
  t.equal(new Filter({ lists: [] }).matchesHit({ ...hit, lat: 0, lon: 0 }), false, 'an empty choice chooses nothing')
  t.end()
})

t.test('deliveries of old and new servers', (t) => {
  t.same(parseAckSubject('$JS.ACK.HITS.abc.1.25.7.1690000000000000000.3'), { streamSeq: 25, consumerSeq: 7 })
  t.same(parseAckSubject('$JS.ACK.hub.ACCHASH.HITS.abc.1.25.7.1690000000000000000.3'), {
    streamSeq: 25,
    consumerSeq: 7,
  })
  t.same(parseAckSubject('$JS.ACK.hub.ACCHASH.HITS.abc.1.25.7.1690000000000000000.3.rnd'), {
    streamSeq: 25,
    consumerSeq: 7,
  })
  for (const reply of [undefined, '', '_INBOX.abc', '$JS.ACK.HITS']) t.throws(() => parseAckSubject(reply))
  t.end()
})

t.test('the delay is the median of the newest hits, and unknown without them', (t) => {
  const meter = new DelayMeter()
  t.equal(meter.median(0), undefined)
  for (const delay of [100, 900, 300]) meter.add(10_000 - delay, 10_000)
  t.equal(meter.median(10_000), 300)
  meter.add(Number.NaN, 10_000)
  meter.add(11_000, 10_500)
  t.equal(meter.median(10_500), 300, 'a clock ahead counts as no delay')
  t.equal(meter.median(80_000), undefined)
  t.end()
})

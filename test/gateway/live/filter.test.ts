import t from 'tap'
import fc from 'fast-check'
import { Filter } from '../../../gateway/live/filter.js'

t.test('an area filter agrees with the plain rule, across the date line too', (t) => {
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
  t.equal(new Filter({ lists: [] }).matchesHit({ ...hit, lat: 0, lon: 0 }), false, 'an empty list matches nothing')
  t.end()
})

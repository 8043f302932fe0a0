import t from 'tap'
import fc from 'fast-check'
import { WHOLE } from '../../../engine/mod.js'
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
        return new Filter({ area: [west, south, east, north] }, WHOLE).matchesHit({ ...hit, lat, lon }) === inside
      },
    ),
  )
  t.equal(new Filter({}, WHOLE).matchesHit({ ...hit, lat: 0, lon: 0 }), true)
  t.equal(
    new Filter({ lists: [] }, WHOLE).matchesHit({ ...hit, lat: 0, lon: 0 }),
    false,
    'an empty list matches nothing',
  )
  t.end()
})

t.test('a scope restricts every filter that a console asks for', (t) => {
  const hit = { list: 'a', camera: 'c', priority: 'high' as const, lat: 0, lon: 0 }
  const scope = { cameras: ['c'], lists: ['a'] }
  for (const wanted of [{}, { lists: ['a', 'b'], cameras: ['c', 'd'] }]) {
    const filter = new Filter(wanted, scope)
    t.ok(filter.matchesHit(hit))
    t.notOk(filter.matchesHit({ ...hit, list: 'b' }))
    t.notOk(filter.matchesHit({ ...hit, camera: 'd' }))
    t.notOk(filter.matchesLocation({ camera: 'd', lat: 0, lon: 0 }))
  }
  t.notOk(new Filter({}, { cameras: [], lists: 'all' }).matchesHit(hit))
  t.end()
})

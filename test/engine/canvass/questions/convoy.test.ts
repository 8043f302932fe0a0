import t from 'tap'
import { meetingsOf } from '../../../../engine/canvass/questions/convoy.js'

t.test(
  'a meeting is the nearest read by the same camera within the gap; only such reads are traffic near a sighting',
  async (t) => {
    const sights = [
      { cam: 'a', at: 100_000 },
      { cam: 'b', at: 100_000 },
      { cam: 'a', at: 500_000 },
    ]
    const pass = (text: string, cam: string, at: number) => ({ text, cam, at: String(at) })
    const { met, near } = meetingsOf(
      sights,
      [
        pass('EDGE', 'a', 130_000),
        pass('EDGE', 'a', 470_000),
        pass('LATE', 'a', 130_001),
        pass('TWICE', 'b', 75_000),
        pass('TWICE', 'b', 110_000),
        pass('ELSEWHERE', 'c', 100_000),
      ],
      30_000,
    )
    t.same(
      [...met].map(([text, of]) => [text, [...of]]),
      [
        [
          'EDGE',
          [
            [0, 30_000],
            [2, -30_000],
          ],
        ],
        ['TWICE', [[1, 10_000]]],
      ],
    )
    t.same(Object.fromEntries(near), { a: 2, b: 2 })
  },
)

import t from 'tap'
import { atPace } from '../../../bench/system/pace.js'

t.test('every call gets its own intended time, however late the call is', async (t) => {
  const times: number[] = []
  const start = Date.now() - 500 // half a second late from the start
  const late = await atPace(
    1_000,
    600,
    (_, intended) => {
      times.push(intended)
    },
    start,
  )
  t.same(
    times,
    Array.from({ length: 600 }, (_, i) => start + i),
  )
  t.ok(late >= 499)
})

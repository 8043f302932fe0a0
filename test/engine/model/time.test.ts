import fc from 'fast-check'
import t from 'tap'
import { DAY_MS, parseDay, parseInstant } from '../../../engine/model/time.js'

const two = (n: number) => String(n).padStart(2, '0')

t.test('a text is a day exactly when the calendar has it', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9999 }), fc.nat(14), fc.nat(33), (year, month, day) => {
      const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`
      const date = new Date(0)
      date.setUTCFullYear(year, month - 1, day)
      const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && month >= 1
      return parseDay(text) === (exists ? date.getTime() : undefined)
    }),
    { numRuns: 5_000 },
  )
})

t.test('an instant is what it says, or none', async (t) => {
  fc.assert(
    fc.property(fc.nat(3_000_000_000_000), fc.integer({ min: -14 * 60, max: 14 * 60 }), (ms, zone) => {
      const local = new Date(ms + zone * 60_000).toISOString().slice(0, -1)
      const offset = `${zone < 0 ? '-' : '+'}${two(Math.floor(Math.abs(zone) / 60))}:${two(Math.abs(zone) % 60)}`
      return parseInstant(`${local}${offset}`) === ms
    }),
  )
  for (const text of ['2026-02-30T00:00:00Z', '2026-05-01T24:00:00Z', '2026-05-01T00:60Z', '2026-05-01', 'now', ''])
    t.equal(parseInstant(text), undefined, text)
  t.equal(parseInstant('2026-05-01T08:30Z'), Date.UTC(2026, 4, 1, 8, 30))
  t.equal(parseDay('2028-03-01')! - parseDay('2028-02-29')!, DAY_MS)
})

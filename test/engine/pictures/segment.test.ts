import fc from 'fast-check'
import t from 'tap'
import { decodeRecord, encodeRecord, isoWeek } from '../../../engine/pictures/segment.js'

const WEEK_MS = 7 * 86_400_000

t.test('ISO weeks follow the calendar, and each begins on Monday', async (t) => {
  const cases: [string, string][] = [
    ['2026-11-16', '2026-W47'],
    ['2026-11-22', '2026-W47'],
    ['2026-01-01', '2026-W01'],
    ['2027-01-01', '2026-W53'],
    ['2024-12-30', '2025-W01'],
    ['2021-01-03', '2020-W53'],
    ['1970-01-01', '1970-W01'],
    ['1969-12-28', '1969-W52'],
  ]
  for (const [day, week] of cases) t.equal(isoWeek(Date.parse(day)), week, day)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (ts) => {
      const monday = ts - ((ts + 3 * 86_400_000) % WEEK_MS)
      return (
        isoWeek(ts) === isoWeek(monday) &&
        isoWeek(monday) !== isoWeek(monday - 1) &&
        isoWeek(monday) === isoWeek(monday + WEEK_MS - 1)
      )
    }),
  )
})

t.test('a record decodes to its picture, and to nothing when a byte is wrong', async () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 200 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (jpeg, at, mask) => {
        const record = encodeRecord(jpeg)
        const decoded = decodeRecord(record)
        if (!decoded?.equals(jpeg)) return false
        record[at % record.length]! ^= mask
        return decodeRecord(record) === undefined
      },
    ),
  )
})

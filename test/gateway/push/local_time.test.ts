import fc from 'fast-check'
import t from 'tap'
import { instantOf, instantOfEpoch } from '../../../gateway/push/local_time.js'

const at = (text: string, zone?: string) => new Date(instantOf(text, 'time', zone)).toISOString()

t.test('a time with an offset needs no zone', async (t) => {
  t.equal(at('2026-05-01T10:30:00+02:00'), '2026-05-01T08:30:00.000Z')
  t.equal(at('2026-05-01T08:30:00.250Z', 'America/New_York'), '2026-05-01T08:30:00.250Z')
  t.equal(at('2026-05-01 08:30:00,5 -0700'), '2026-05-01T15:30:00.500Z')
  t.equal(at('2026-05-01t08:30:60z'), '2026-05-01T08:30:59.999Z', 'a leap second')
})

t.test('a local time is one of the zone of the record, in summer and in winter', async (t) => {
  t.equal(at('2026-05-01 04:30:00', 'America/New_York'), '2026-05-01T08:30:00.000Z')
  t.equal(at('2026-12-01 04:30:00', 'America/New_York'), '2026-12-01T09:30:00.000Z')
  t.equal(at('2026/12/01 04:30:00', '+05:30'), '2026-11-30T23:00:00.000Z')
})

t.test('what has no or no one meaning is refused', async (t) => {
  t.throws(() => at('2026-05-01 04:30:00'), { code: 'ALPR_ERR_PUSH_TIME_INVALID', message: /no zone: .*--zone/ })
  t.throws(() => at('2026-03-08 02:30:00', 'America/New_York'), /skip this time/)
  t.throws(() => at('2026-11-01 01:30:00', 'America/New_York'), /show this time twice/)
  for (const text of ['2026-02-30T10:00:00Z', '2026-05-01T24:00:00Z', '2026-13-01T10:00:00Z', '2026-05-01T10:60:00Z'])
    t.throws(() => at(text), /no such day or time/, text)
  for (const text of ['', 'now', '1777624262', '01.05.2026 10:00', '2026-05-01'])
    t.throws(() => at(text, 'America/New_York'), /not of the form/, text)
})

t.test('every instant of a zone is found again from its wall time, unless clocks show it twice', async (t) => {
  const zones = fc.constantFrom('America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC')
  fc.assert(
    fc.property(zones, fc.integer({ min: 946_684_800, max: 2_524_607_999 }), (zone, seconds) => {
      const text = new Date(seconds * 1_000).toLocaleString('sv-SE', { timeZone: zone })
      try {
        return instantOf(text, 'time', zone) === seconds * 1_000
      } catch (error) {
        return /twice/.test((error as Error).message)
      }
    }),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('a number of seconds or milliseconds is distinguished by its size', async (t) => {
  t.equal(instantOfEpoch(1_777_624_262, 't'), 1_777_624_262_000)
  t.equal(instantOfEpoch(1_777_624_262.25, 't'), 1_777_624_262_250)
  t.equal(instantOfEpoch('1777624262250', 't'), 1_777_624_262_250)
  for (const value of [Number.NaN, -1, 0, 1e15, 'x', '']) t.throws(() => instantOfEpoch(value, 't'), /no number of/)
})

import fc from 'fast-check'
import t from 'tap'
import { isZone, localInstant } from '../../../engine/runtime/local_time.js'

const ZONES = ['UTC', 'America/Los_Angeles', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns']

t.test('the clocks of a zone show the time at its instant, unless they pass over it', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), fc.integer({ min: 0, max: 2_000_000_000 }), (zone, seconds) => {
      const local = seconds * 1_000
      const at = localInstant(local, zone)
      const shown = new Intl.DateTimeFormat('sv-SE', {
        timeZone: zone,
        dateStyle: 'short',
        timeStyle: 'medium',
      }).format(at)
      const wanted = new Date(local).toISOString().slice(0, 19).replace('T', ' ')
      // A time that is passed over is shown as up to an hour later.
      return shown === wanted || (shown > wanted && Date.parse(`${shown.replace(' ', 'T')}Z`) - local <= 3_600_000)
    }),
    { numRuns: 1_000 },
  )
})

t.test('days of 23 and 25 hours', async (t) => {
  const day = (y: number, m: number, d: number) => localInstant(Date.UTC(y, m - 1, d), 'America/Los_Angeles')
  t.equal(day(2026, 3, 9) - day(2026, 3, 8), 23 * 3_600_000)
  t.equal(day(2026, 11, 2) - day(2026, 11, 1), 25 * 3_600_000)
  t.equal(isZone('America/Los_Angeles'), true)
  for (const none of ['', 'PST8', 'Los Angeles', '+25:00']) t.equal(isZone(none), false, none)
})

import fc from 'fast-check'
import t from 'tap'
import { CAMERA_ID, LIST_ID, PUSH_CREDENTIALS, PUSH_KINDS } from '../../engine/mod.js'
import { CREDENTIAL_NAMES, PUSH_NAMES } from '../../cli/push_options.js'
import { parseFixed } from '../../cli/commands/hotlist.js'
import {
  collect,
  decimal,
  ID,
  oneOf,
  parseDuration,
  parseSize,
  parseTime,
  parseZone,
  wholeNumber,
} from '../../cli/parse.js'

const refuses = (
  t: Pick<typeof import('tap').default, 'throws'>,
  parse: (text: string) => unknown,
  ...texts: string[]
) => {
  for (const text of texts) t.throws(() => parse(text), { code: 'commander.invalidArgument' })
}

t.test('a time that does not exist is refused', async (t) => {
  t.equal(parseTime('2024-02-29T23:59:59+01:00'), Date.UTC(2024, 1, 29, 22, 59, 59))
  refuses(t, parseTime, '2026-02-30T00:00:00Z', '2026-05-01T24:00:00Z', '2025-02-29T08:00:00Z', '2026-05-01T08:30:00')
})

t.test('numbers are parsed within their range', async (t) => {
  t.equal(wholeNumber(1, 10)('10'), 10)
  refuses(t, wholeNumber(1, 10), '0', '11', '1.5', '', '-1', '1e1', ' 1', 'one')
  t.equal(decimal(-1, 1)('-0.5'), -0.5)
  refuses(t, decimal(-1, 1), '2', 'NaN', 'Infinity', '', '1e-1', '.5')
})

t.test('sizes and durations are parsed with their units', async (t) => {
  t.same(['1000', '1kB', '1.5 GB', '2GiB', '500m'].map(parseSize), [1_000, 1_000, 1.5e9, 2_147_483_648, 5e8])
  refuses(t, parseSize, '', 'big', '1TBB', '-1', '1.2.3')
  t.same(
    ['90s', '10m', '1h30m', '500ms', '1d', '2min'].map(parseDuration),
    [90_000, 600_000, 5_400_000, 500, 86_400_000, 120_000],
  )
  refuses(t, parseDuration, '', '10', '10 m', 'm', '1h x')
  fc.assert(
    fc.property(
      fc.nat(99),
      fc.nat(59),
      fc.nat(59),
      (h, m, s) => parseDuration(`${h}h${m}m${s}s`) === ((h * 60 + m) * 60 + s) * 1_000,
    ),
  )
})

t.test('times and zones are parsed', async (t) => {
  t.equal(parseTime('2026-05-01T08:30:00-07:00'), Date.UTC(2026, 4, 1, 15, 30))
  refuses(t, parseTime, '2026-05-01', '2026-05-01T08:30:00', '2026-13-01T08:30:00Z', 'now')
  t.same(['Z', '+02:00', '-0730'].map(parseZone), [0, 120, -450])
  refuses(t, parseZone, '', '+2', '+99:00', 'PST')
})

t.test('choices, repeated options and fixed columns are parsed', async (t) => {
  t.equal(oneOf('a', 'b')('a'), 'a')
  refuses(t, oneOf('a', 'b'), 'c', '')
  t.same(collect(wholeNumber(1))('3', [1, 2]), [1, 2, 3])
  t.same(parseFixed('plate=1-8, reason=20-60'), [
    { name: 'plate', start: 1, end: 8 },
    { name: 'reason', start: 20, end: 60 },
  ])
  refuses(t, parseFixed, '', 'reason=1-2', 'plate=0-1', 'plate=5-4', 'colour=1-2,plate=1-2', 'plate')
})

t.test('ids have the pattern of the engine', async (t) => {
  t.equal(ID.source, CAMERA_ID.source)
  t.equal(ID.source, LIST_ID.source)
})

t.test('the kinds of cameras that push are those of the engine', async (t) => {
  t.same(PUSH_NAMES, PUSH_KINDS)
  t.same(CREDENTIAL_NAMES, PUSH_CREDENTIALS)
})

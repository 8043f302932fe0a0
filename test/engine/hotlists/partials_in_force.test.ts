import t from 'tap'
import {
  MAX_PARTIAL_MS,
  parseStandingPartial,
  type StandingPartial,
} from '../../../engine/hotlists/standing_partial.js'
import { PartialsInForce } from '../../../engine/hotlists/partials_in_force.js'
import { loadMatcher } from '../../../wasm/load_node.js'
import { Random } from '../../wasm/random.js'
import { position, readOf } from '../../wasm/reads.js'

const { confusions } = await loadMatcher()
const NOW = Date.UTC(2026, 10, 16, 8)

const aPartial = (some: Partial<StandingPartial> = {}): StandingPartial => ({
  id: 'p1',
  pattern: '7?B*',
  reason: 'shooting on Main St, grey sedan',
  caseNumber: '26-1234',
  enteredBy: 'Ofc. Diaz',
  enteredAt: NOW,
  from: NOW,
  until: NOW + 7 * 86_400_000,
  priority: 'high',
  threshold: 0.2,
  ...some,
})

function watch(...records: StandingPartial[]): PartialsInForce {
  const partials = new PartialsInForce(confusions, { warn: () => {} })
  for (const record of records) partials.put(record.id, JSON.stringify(record))
  return partials
}

t.test(
  'partial plates reported during major crimes watch the stream to identify suspect vehicles (TR 439.4 c, PV, HW)',
  async (t) => {
    const random = new Random(1)
    const partials = watch(aPartial())
    const [match] = partials.check(readOf(random, '7ABC123'), '', NOW + 1)
    t.match(match, {
      exact: true,
      tolerated: [],
      entry: { plate: '7?B*', reason: 'shooting on Main St, grey sedan (case 26-1234)' },
      list: { id: 'standing-partials', priority: 'high', threshold: 0.2 },
    })
    t.ok(match!.probability > 0.8)
    t.same(partials.check(readOf(random, '8XYZ999'), '', NOW + 1), [])
  },
)

t.test(
  'a standing partial ends within thirty days like a hot plate (RV 426.6.5), at its exact event time',
  async (t) => {
    const random = new Random(2)
    const read = readOf(random, '7ABC123')
    const partials = watch(aPartial({ from: NOW, until: NOW + 1_000 }))
    t.equal(partials.check(read, '', NOW - 1).length, 0)
    t.equal(partials.check(read, '', NOW).length, 1)
    t.equal(partials.check(read, '', NOW + 999).length, 1)
    t.equal(partials.check(read, '', NOW + 1_000).length, 0)
    t.throws(() => parseStandingPartial(aPartial({ until: NOW + MAX_PARTIAL_MS + 1 })), {
      code: 'ALPR_ERR_PARTIAL_INVALID',
    })
    t.ok(parseStandingPartial(aPartial({ until: NOW + MAX_PARTIAL_MS })))
    t.throws(() => parseStandingPartial(aPartial({ from: NOW + 9, until: NOW + 9 })), {
      code: 'ALPR_ERR_PARTIAL_INVALID',
    })
  },
)

t.test('a character that the read is unsure of counts for the pattern: "maybe an 8 at the end"', async (t) => {
  const random = new Random(3)
  const read = readOf(random, '7ABC123')
  const torn = position(random, 8, 0.55)
  torn[11]! += 0.4
  const sum = torn.reduce((a, b) => a + b, 0)
  read[6] = torn.map((p) => p / sum)
  const of = (pattern: string) =>
    watch(aPartial({ pattern, threshold: 0.0001 })).check(read, '', NOW + 1)[0]?.probability ?? 0
  t.ok(of('7A*8') > 0.4 && of('7A*8') < 0.65, 'as probable as the 8 of the read')
  t.ok(of('7A*[8B]') > of('7A*8') + 0.2, '8 or B: the sum of both')
  t.ok(of('*8&7A') === 0 || of('7A&8') > 0.4, 'fragments in any order')
  t.ok(of('7A*4') < 0.01)
  t.ok(of('7A*4~1') > of('7A*4'), 'the witness may be wrong once')
  const [match] = watch(aPartial({ pattern: '7AB0123', threshold: 0.0001 })).check(
    readOf(random, '7ABO123'),
    '',
    NOW + 1,
  )
  t.match(match, { exact: false, tolerated: [{ position: 3, read: 'O', listed: '0' }] })
})

t.test('a region is checked against the region of the read, where the read has one', async (t) => {
  const random = new Random(4)
  const partials = watch(aPartial({ pattern: '7?B*@US-CA' }))
  t.equal(partials.check(readOf(random, '7ABC123'), 'US-CA', NOW).length, 1)
  t.equal(partials.check(readOf(random, '7ABC123'), '', NOW).length, 1)
  t.equal(partials.check(readOf(random, '7ABC123'), 'US-NV', NOW).length, 0)
})

t.test('a pattern that any vehicle satisfies, or that does not parse, is refused and not in force', async (t) => {
  for (const pattern of ['*', '?*', '7*', '7AB~2', '7?~1'])
    t.throws(() => parseStandingPartial(aPartial({ pattern })), { code: 'ALPR_ERR_PARTIAL_INVALID' }, pattern)
  t.throws(() => parseStandingPartial(aPartial({ pattern: '7[B' })), { code: 'ALPR_ERR_PATTERN_INVALID' })
  t.throws(() => parseStandingPartial({ ...aPartial(), caseNumber: '' }), { code: 'ALPR_ERR_PARTIAL_INVALID' })
  t.throws(() => parseStandingPartial({ ...aPartial(), more: 1 }), { code: 'ALPR_ERR_PARTIAL_INVALID' })
  const warnings: string[] = []
  const partials = new PartialsInForce(confusions, { warn: (fields) => warnings.push(JSON.stringify(fields)) })
  partials.put('x', '{')
  partials.put('p1', JSON.stringify(aPartial()))
  partials.put('p1', JSON.stringify(aPartial({ pattern: '*' })))
  t.equal(warnings.length, 2)
  t.same(partials.versionsAt(Infinity), [], 'an invalid change takes the previous partial out of force')
})

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

function watch(...partials: StandingPartial[]): PartialsInForce {
  const standing = new PartialsInForce(confusions, { warn: () => {} })
  for (const partial of partials) standing.put(partial.id, JSON.stringify(partial))
  return standing
}

t.test(
  'partial plates reported during major crimes are entered to identify suspect vehicles (TR 439.4 c, PV, HW): they watch the stream',
  async (t) => {
    const random = new Random(1)
    const standing = watch(aPartial())
    const [match] = standing.check(readOf(random, '7ABC123'), '', NOW + 1)
    t.match(match, {
      exact: true,
      tolerated: [],
      entry: { plate: '7?B*', reason: 'shooting on Main St, grey sedan (case 26-1234)' },
      list: { id: 'standing-partials', priority: 'high', threshold: 0.2 },
    })
    t.ok(match!.probability > 0.8)
    t.same(standing.check(readOf(random, '8XYZ999'), '', NOW + 1), [])
  },
)

t.test(
  'a hot plate ends within thirty days (RV 426.6.5): so does a standing partial, at its instant, in event time',
  async (t) => {
    const random = new Random(2)
    const read = readOf(random, '7ABC123')
    const standing = watch(aPartial({ from: NOW, until: NOW + 1_000 }))
    t.equal(standing.check(read, '', NOW - 1).length, 0)
    t.equal(standing.check(read, '', NOW).length, 1)
    t.equal(standing.check(read, '', NOW + 999).length, 1)
    t.equal(standing.check(read, '', NOW + 1_000).length, 0)
    t.throws(() => parseStandingPartial(aPartial({ until: NOW + MAX_PARTIAL_MS + 1 })), {
      code: 'ALPR_ERR_PARTIAL_INVALID',
    })
    t.ok(parseStandingPartial(aPartial({ until: NOW + MAX_PARTIAL_MS })))
    t.throws(() => parseStandingPartial(aPartial({ from: NOW + 9, until: NOW + 9 })), {
      code: 'ALPR_ERR_PARTIAL_INVALID',
    })
  },
)

t.test('what the read leaves open counts for the pattern: "maybe an 8 at the end"', async (t) => {
  const random = new Random(3)
  const read = readOf(random, '7ABC123')
  const torn = position(random, 8, 0.55)
  torn[11]! += 0.4
  const sum = torn.reduce((a, b) => a + b, 0)
  read[6] = torn.map((p) => p / sum)
  const of = (pattern: string) =>
    watch(aPartial({ pattern, threshold: 0.0001 })).check(read, '', NOW + 1)[0]?.probability ?? 0
  t.ok(of('7A*8') > 0.4 && of('7A*8') < 0.65, 'as sure as the read is of the 8')
  t.ok(of('7A*[8B]') > of('7A*8') + 0.2, '8 or B: both together')
  t.ok(of('*8&7A') === 0 || of('7A&8') > 0.4, 'fragments in any order')
  t.ok(of('7A*4') < 0.01)
  t.ok(of('7A*4~1') > of('7A*4'), 'an error that the witness may make')
  const [match] = watch(aPartial({ pattern: '7AB0123', threshold: 0.0001 })).check(
    readOf(random, '7ABO123'),
    '',
    NOW + 1,
  )
  t.match(match, { exact: false, tolerated: [{ position: 3, read: 'O', listed: '0' }] })
})

t.test('regions are held against what the read says of its region, if it does', async (t) => {
  const random = new Random(4)
  const standing = watch(aPartial({ pattern: '7?B*@US-CA' }))
  t.equal(standing.check(readOf(random, '7ABC123'), 'US-CA', NOW).length, 1)
  t.equal(standing.check(readOf(random, '7ABC123'), '', NOW).length, 1)
  t.equal(standing.check(readOf(random, '7ABC123'), 'US-NV', NOW).length, 0)
})

t.test('one that every vehicle satisfies, or cannot be read, is refused and not in force', async (t) => {
  for (const pattern of ['*', '?*', '7*', '7AB~2', '7?~1'])
    t.throws(() => parseStandingPartial(aPartial({ pattern })), { code: 'ALPR_ERR_PARTIAL_INVALID' }, pattern)
  t.throws(() => parseStandingPartial(aPartial({ pattern: '7[B' })), { code: 'ALPR_ERR_PATTERN_INVALID' })
  t.throws(() => parseStandingPartial({ ...aPartial(), caseNumber: '' }), { code: 'ALPR_ERR_PARTIAL_INVALID' })
  t.throws(() => parseStandingPartial({ ...aPartial(), more: 1 }), { code: 'ALPR_ERR_PARTIAL_INVALID' })
  const told: string[] = []
  const standing = new PartialsInForce(confusions, { warn: (fields) => told.push(JSON.stringify(fields)) })
  standing.put('x', '{')
  standing.put('p1', JSON.stringify(aPartial()))
  standing.put('p1', JSON.stringify(aPartial({ pattern: '*' })))
  t.equal(told.length, 2)
  t.same(standing.versions, [], 'a change that is not valid takes the one before out of force')
})

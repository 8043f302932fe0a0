import t from 'tap'
import { makeHits, needsLastCheck, reasonWithState, worthChecking } from '../../../engine/hits/hit_maker.js'
import { hitMessage } from '../../../engine/hits/hit_message.js'
import type { HotList } from '../../../engine/hotlists/hotlist.js'
import type { ListMatch } from '../../../engine/hotlists/list_match.js'
import { pack, unpack } from '../../../engine/partition/packed.js'
import { OpenPass } from '../../../engine/passes/pass.js'
import { detectionOf, frameOf, MAIN_ST } from '../passes/plates.js'

const LIST: HotList = {
  id: 'stolen',
  name: 'Stolen vehicles',
  kind: 'hot',
  priority: 'high',
  source: 'local',
  version: '0123456789abcdef',
  loadedAt: '2026-11-22T03:10:00.000Z',
  entries: 1,
  tolerance: 'tolerant',
  threshold: 0.5,
}
const match = (probability: number, plate = '7ABC123', list = LIST): ListMatch => ({
  list,
  entry: { plate, reason: 'stolen vehicle' },
  probability,
  exact: probability > 0.9,
  tolerated: [],
})

function passOf(
  frames: number,
  from = OpenPass.open('77', frameOf(1, 1_000), detectionOf('7ABC123', 100, 100)),
): OpenPass {
  while (from.state.frames < frames)
    from.extend(
      frameOf(from.state.frames + 1, 1_000 + 200 * from.state.frames),
      detectionOf('7ABC123', 100, 100),
      2_000,
    )
  return from
}
const readOf = (pass: OpenPass) => pass.toRead(MAIN_ST, { module: 'm', model: 'n', lists: 'l' })
const hits = (pass: OpenPass, matches: ListMatch[], closing = false) =>
  makeHits(pass, readOf(pass), matches, MAIN_ST, closing)

/** A pass as the checkpoint gives it back. */
const restoredOf = (pass: OpenPass): OpenPass => OpenPass.fromJSON(unpack(pack(pass)) as ReturnType<OpenPass['toJSON']>)

t.test('a match is published once while the pass is open, and once more when it closes', async (t) => {
  const pass = passOf(2)
  t.match(hits(pass, [match(0.95)]), [
    {
      hitId: '77.stolen.7ABC123',
      revision: 1,
      state: 'possible',
      plate: '7ABC123',
      listedPlate: '7ABC123',
      reason: 'stolen vehicle',
      listVersion: LIST.version,
      listLoadedAt: LIST.loadedAt,
    },
  ])
  t.same(hits(pass, [match(0.95)]), [], 'it is not published again')
  passOf(5, pass)
  t.match(hits(pass, [match(0.97)], true), [{ hitId: '77.stolen.7ABC123', revision: 2, state: 'possible' }])
})

t.test('closing right after publishing makes no new revision', async (t) => {
  const pass = passOf(3)
  hits(pass, [match(0.95)])
  t.same(hits(pass, [match(0.95)], true), [])
})

t.test('a match that fades is withdrawn under the same id, and may return', async (t) => {
  const pass = passOf(2)
  hits(pass, [match(0.6)])
  t.same(hits(pass, [match(0.45)]), [], 'slightly below the threshold it stays')
  t.match(hits(pass, [match(0.3)]), [{ hitId: '77.stolen.7ABC123', revision: 2, state: 'withdrawn' }])
  t.same(hits(pass, []), [], 'withdrawn once')
  passOf(3, pass)
  t.match(hits(pass, [match(0.8)], true), [{ revision: 3, state: 'possible' }])
})

t.test('removing an entry from its list withdraws the open hit', async (t) => {
  const pass = passOf(2)
  hits(pass, [match(0.95)])
  t.match(hits(pass, []), [
    { hitId: '77.stolen.7ABC123', revision: 2, state: 'withdrawn', list: 'stolen', listedPlate: '7ABC123' },
  ])
})

t.test('below the threshold there is no hit', async (t) => {
  t.same(hits(passOf(2), [match(0.49)], true), [])
})

t.test('an exact but blurred read of the listed plate is a hit from half the threshold on', async (t) => {
  t.match(hits(passOf(2), [{ ...match(0.3), exact: true }]), [{ state: 'possible', exact: true }])
  t.same(hits(passOf(2), [{ ...match(0.2), exact: true }]), [])
})

t.test('a special hot list is informational at any priority', async (t) => {
  const special: HotList = { ...LIST, id: 'local', kind: 'special' }
  t.match(hits(passOf(2), [match(0.95, '7ABC123', special)]), [{ priority: 'informational' }])
})

t.test('revisions continue after a restart from the checkpoint', async (t) => {
  const pass = passOf(2)
  hits(pass, [match(0.95)])
  const restored = restoredOf(pass)
  t.same(hits(restored, [match(0.95)]), [])
  passOf(4, restored)
  t.match(hits(restored, [match(0.95)], true), [{ revision: 2 }])
})

t.test('a vote is checked once it is certain or old enough, and then more and more rarely', async (t) => {
  t.equal(worthChecking(passOf(1), 0.9), true)
  t.equal(worthChecking(passOf(1), 0.2), false)
  t.equal(worthChecking(passOf(3), 0.2), true)
  const pass = passOf(1)
  let checks = 0
  for (let frames = 2; frames <= 1_000; frames++) {
    if (!worthChecking(passOf(frames, pass), 0.9)) continue
    hits(pass, [])
    checks += 1
  }
  t.ok(checks < 25, `${checks} checks in 1,000 frames`)
})

t.test('a vehicle that a moving camera follows is one hit, with a revision at each new place', async (t) => {
  const at = (n: number) => ({ ...frameOf(n + 1, 1_000 + n * 200), lat: 38.75 + n * 0.0002 })
  let pass = OpenPass.open('77', at(0), detectionOf('7ABC123', 100, 100))
  const published = hits(pass, [match(0.95)])
  for (let n = 1; n <= 30; n++) {
    const detection = detectionOf('7ABC123', 100, 100)
    if (!pass.isElsewhere(at(n))) {
      pass.extend(at(n), detection, 2_000)
      published.push(...hits(pass, [match(0.95)]))
      continue
    }
    const next = pass.continueWith(`${77 + n}`, at(n), detection, 2_000)
    // The pass that ends is not closed for its hits: the next one updates them.
    t.ok(pass.continued)
    published.push(...hits(pass, [match(0.95)], !pass.continued), ...hits(next, [match(0.95)]))
    pass = restoredOf(next)
  }
  t.same(
    published.map(({ hitId, readId, ts, revision, lat }) => [hitId, readId, ts, revision, lat]),
    [0, 9, 18, 27].map((n, i) => ['77.stolen.7ABC123', '77', '1970-01-01T00:00:01.000Z', i + 1, at(n).lat]),
  )
  t.match(hits(pass, [match(0.97)], true), [{ hitId: '77.stolen.7ABC123', revision: 5, lat: at(27).lat }])
  t.match(hits(pass, []), [{ hitId: '77.stolen.7ABC123', revision: 6, state: 'withdrawn' }])
})

t.test('a parked car is checked once a minute of event time, so that it meets new lists', async (t) => {
  const pass = passOf(20)
  hits(pass, [])
  const restored = restoredOf(pass)
  const { ts } = pass.state.last
  restored.extend(frameOf(21, ts + 59_000), detectionOf('7ABC123', 100, 100), 2_000)
  t.equal(worthChecking(restored, 0.9), false)
  restored.extend(frameOf(22, ts + 60_000), detectionOf('7ABC123', 100, 100), 2_000)
  t.equal(worthChecking(restored, 0.9), true)
})

t.test(
  'a vote that was checked makes no further hit when its pass closes, even if the lists have changed',
  async (t) => {
    const pass = passOf(20)
    hits(pass, [])
    const restored = restoredOf(pass)
    t.equal(needsLastCheck(restored), false)
    t.same(hits(restored, [match(0.95)], true), [])
    t.equal(needsLastCheck(passOf(21, restored)), true)
    t.match(hits(restored, [match(0.95)], true), [{ revision: 1 }], 'one more frame, and it is checked')
  },
)

t.test('a hit that is larger than the server takes loses the least important parts, never its identity', async (t) => {
  const [hit] = hits(passOf(2), [{ ...match(0.95), entry: { plate: '7ABC123', reason: 'x'.repeat(900) } }])
  const whole = JSON.stringify(hit).length
  t.match(hitMessage(hit!, 1_048_576), { cut: false, hit: { reason: 'x'.repeat(900) } })
  let before = Infinity
  for (const limit of [whole - 1, whole - 600, whole - 900]) {
    const message = hitMessage(hit!, limit)!
    t.ok(message.payload.length <= limit && message.payload.length < before, `${message.payload.length} of ${limit}`)
    t.match(JSON.parse(message.payload), { hitId: hit!.hitId, listedPlate: '7ABC123', state: 'possible', revision: 1 })
    before = message.payload.length + 1
  }
  t.equal(hitMessage(hit!, 100), undefined)
})

t.test('a hit names the state that its plate is listed for, and says when the plate read is of another', async (t) => {
  for (const [listed, read, reason] of [
    [undefined, 'US-CO', 'stolen'],
    ['MT', '', 'stolen (listed for MT)'],
    ['MT', 'US-MT', 'stolen (listed for MT)'],
    ['US-MT', 'US-MT', 'stolen (listed for US-MT)'],
    ['MT', 'US-CO', 'stolen (listed for MT; the plate read is of US-CO)'],
    ['CA/NV', 'US-NV', 'stolen (listed for CA/NV)'],
    ['CA/NV', 'US-CO', 'stolen (listed for CA/NV; the plate read is of US-CO)'],
    ['MT', 'US', 'stolen (listed for MT)'],
    ['MONTANA', 'US-CO', 'stolen (listed for MONTANA)'],
  ] as const)
    t.equal(reasonWithState({ plate: 'A1', reason: 'stolen', ...(listed && { region: listed }) }, read), reason)
  t.equal(reasonWithState({ plate: 'A1', reason: '', region: 'MT' }, ''), '(listed for MT)')
})

/** A pass of a camera that reports vehicles; each report has a text. */
function reportedOf(...texts: string[]): OpenPass {
  const detection = (plate: string) => {
    const { quad: _, ...rest } = detectionOf(plate, 0, 0)
    return { ...rest, track: '17', report: 'update' as const }
  }
  const pass = OpenPass.open('77', frameOf(1, 1_000), detection(texts[0]!))
  texts.slice(1).forEach((text, i) => pass.extend(frameOf(2 + i, 1_200 + 200 * i), detection(text), 2_000))
  return pass
}

t.test('a text that the camera corrects withdraws the hit, however many reports there were', async (t) => {
  for (const before of [1, 5, 9, 10, 11]) {
    const pass = reportedOf(...Array.from({ length: before }, () => '7ABC123'))
    t.match(hits(pass, [match(0.95)]), [{ revision: 1, state: 'possible' }])
    const { quad: _, ...other } = detectionOf('4KLM771', 0, 0)
    pass.extend(frameOf(50, 90_000), { ...other, track: '17', report: 'update' }, 2_000)
    t.ok(worthChecking(pass, readOf(pass).confidence), `after ${before} reports`)
    t.match(hits(pass, []), [{ revision: 2, state: 'withdrawn', plate: '4KLM771', listedPlate: '7ABC123' }])
  }
})

t.test('a correction that still matches shows the corrected text at once', async (t) => {
  const pass = reportedOf('7ABC123')
  hits(pass, [match(0.95)])
  const { quad: _, ...other } = detectionOf('7A8C123', 0, 0)
  pass.extend(frameOf(2, 1_400), { ...other, track: '17', report: 'update' }, 2_000)
  t.match(hits(pass, [match(0.8)]), [{ revision: 2, state: 'possible', plate: '7A8C123', listedPlate: '7ABC123' }])
  t.same(hits(pass, [match(0.8)]), [])
})

t.test('an unsure report is checked at once: no vote will make it surer', async (t) => {
  t.ok(worthChecking(reportedOf('7ABC123'), 0.3))
})

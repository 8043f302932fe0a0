import fc from 'fast-check'
import t from 'tap'
import { patched, patchOf } from '../../../engine/partition/patch.js'
import { saveState } from '../../../engine/partition/saved_state.js'
import { CameraPasses } from '../../../engine/passes/camera_passes.js'
import { detectionOf, frameOf } from '../passes/plates.js'

const bytes = fc.uint8Array({ maxLength: 400 }).map((one) => Buffer.from(one).toString('latin1'))

t.test('a patch makes of any state any other', async () => {
  // Of few different bytes, so that the same pieces are in both.
  const alike = fc
    .array(fc.constantFrom('\x00', '\x01', 'abcdef', '\xff'), { maxLength: 200 })
    .map((one) => one.join(''))
  fc.assert(
    fc.property(fc.oneof(bytes, alike), fc.oneof(bytes, alike), (old, next) => {
      const patch = patchOf(old, next)
      return patch === undefined || (patch.length < next.length && patched(old, patch) === next)
    }),
    { numRuns: 3_000 },
  )
})

t.test('bytes that are inserted, removed or replaced cost little more than themselves', async () => {
  const cut = fc.nat(400)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 400, maxLength: 400 }), cut, cut, bytes, (given, a, b, fresh) => {
      const old = Buffer.from(given).toString('latin1')
      const next = old.slice(0, Math.min(a, b)) + fresh.slice(0, 50) + old.slice(Math.max(a, b))
      const patch = patchOf(old, next)
      if (patch === undefined) return next.length < 80
      return patched(old, patch) === next && patch.length <= Math.min(50, fresh.length) + 30
    }),
  )
})

t.test('what is no patch of a state is refused', async (t) => {
  const old = 'the state of a camera'
  const patch = patchOf(old, `${old}, and its next`)!
  t.throws(() => patched('another', patch), RangeError)
  t.throws(() => patched(old, patch.slice(0, 1)), RangeError)
})

t.test('a message without a vehicle changes less than 80 bytes of a state, one with it less than 250', async (t) => {
  const camera = CameraPasses.empty('main-st', { gapMs: 3_000 })
  let seq = 0
  let last = ''
  const sizes: { seen: boolean; size: number }[] = []
  for (let n = 0; n < 600; n++) {
    const at = 1_760_000_000_000 + n * 1_000
    const seen = n % 20 < 6
    const quad = detectionOf(`7AB${1_000 + Math.floor(n / 20)}`, 100.37 + (n % 20) * 41.3, 300.12)
    camera.isNew(n * 7_919_533, at)
    camera.advance(frameOf(++seq, at), seen ? [quad] : [], (index) => `${seq}-${index}`)
    camera.takeLedger()
    const state = saveState(camera, at)
    const patch = patchOf(last, state)
    if (n > 100 && n % 20 > 0) sizes.push({ seen, size: (patch ?? state).length })
    if (patch !== undefined) t.equal(patched(last, patch), state)
    last = state
  }
  const most = (kind: boolean) => Math.max(...sizes.filter(({ seen }) => seen === kind).map(({ size }) => size))
  t.comment(`at most ${most(false)} and ${most(true)} of ${last.length} bytes`)
  t.ok(most(false) < 80)
  t.ok(most(true) < 250)
})

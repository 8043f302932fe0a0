import t from 'tap'
import { IdlePasses } from '../../../engine/pipeline/idle_passes.js'
import type { OpenPass } from '../../../engine/passes/pass.js'

const aPass = () => ({}) as OpenPass

t.test(
  'at five frames a second a pass is idle half a second after its last detection, while its camera keeps sending',
  async (t) => {
    const idle = new IdlePasses()
    const [gone, here] = [aPass(), aPass()]
    for (let frame = 0; frame <= 10; frame++) {
      idle.noteFrame('main', 1_000_000 + frame * 200, frame * 200)
      if (frame <= 5) idle.touch(gone, frame * 200)
      idle.touch(here, frame * 200)
    }
    t.same([...idle.active(1_400)], ['main'])
    t.notOk(idle.isIdle('main', gone, 1_499))
    t.ok(idle.isIdle('main', gone, 1_500))
    t.notOk(idle.isIdle('main', here, 2_000), 'one that is still detected is not idle')
  },
)

t.test('with a slow camera a pass is idle once a frame came, or was due, without the car', async (t) => {
  const idle = new IdlePasses()
  const pass = aPass()
  idle.noteFrame('slow', 0, 0)
  idle.touch(pass, 0)
  t.notOk(idle.isIdle('slow', pass, 2_999), 'after one frame nobody knows when the next is due')
  idle.noteFrame('slow', 1_000, 1_000)
  idle.touch(pass, 1_000)
  t.notOk(idle.isIdle('slow', pass, 2_499))
  t.ok(idle.isIdle('slow', pass, 2_500))
  idle.noteFrame('slow', 500, 1_001)
  t.notOk(idle.isIdle('slow', pass, 2_499), 'a late frame says nothing about the pace')
  idle.noteFrame('slow', 61_000, 61_000)
  idle.touch(pass, 61_000)
  t.notOk(idle.isIdle('slow', pass, 63_999))
  t.ok(idle.isIdle('slow', pass, 64_000), 'after at most 3 s')
})

t.test(
  'a camera that goes quiet is reported once more, with all its passes idle, and then not until it sends',
  async (t) => {
    const idle = new IdlePasses()
    const pass = aPass()
    idle.expect('taken-over', 0)
    t.same([...idle.active(2_999)], ['taken-over'])
    t.notOk(idle.isIdle('taken-over', pass, 2_999))
    t.same([...idle.active(3_000)], ['taken-over'])
    t.ok(idle.isIdle('taken-over', pass, 3_000))
    t.same([...idle.active(3_001)], [])
    idle.noteFrame('taken-over', 5_000, 5_000)
    t.same([...idle.active(5_001)], ['taken-over'])
  },
)

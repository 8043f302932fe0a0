import t from 'tap'
import { IdlePasses } from '../../../engine/pipeline/idle_passes.js'
import type { OpenPass } from '../../../engine/passes/pass.js'

const aPass = () => ({ state: {} }) as OpenPass

t.test(
  'at five frames a second a pass is idle half a second after its last detection, while its camera keeps sending',
  async (t) => {
    const idle = new IdlePasses()
    const [gone, here] = [aPass(), aPass()]
    for (let frame = 0; frame <= 10; frame++) {
      idle.noteFrame('main', 200, frame * 200)
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
  idle.noteFrame('slow', undefined, 0)
  idle.touch(pass, 0)
  t.notOk(idle.isIdle('slow', pass, 2_999), 'after one frame nobody knows when the next is due')
  idle.noteFrame('slow', 1_000, 1_000)
  idle.touch(pass, 1_000)
  t.notOk(idle.isIdle('slow', pass, 2_499))
  t.ok(idle.isIdle('slow', pass, 2_500))
})

t.test(
  'before a camera with a frame every 10 s a parked car is idle after 3 s once, then only when it is gone',
  async (t) => {
    const idle = new IdlePasses()
    const pass = aPass()
    for (let at = 0; at <= 600_000; at += 10_000) {
      idle.noteFrame('slow', 10_000, at)
      idle.touch(pass, at)
      for (let later = 0; later < 10_000; later += 1_000) {
        t.same([...idle.active(at + later)], ['slow'])
        t.equal(idle.isIdle('slow', pass, at + later), at === 0 && later >= 3_000, `${at + later} ms`)
        if (at === 0 && later === 3_000) {
          pass.state.stored = { frames: 1, ts: at }
          break
        }
      }
    }
    t.notOk(idle.isIdle('slow', pass, 614_999))
    t.ok(idle.isIdle('slow', pass, 615_000))
    t.same([...idle.active(615_000)], ['slow'], 'the last time')
    t.same([...idle.active(616_000)], [])
  },
)

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
    idle.noteFrame('taken-over', undefined, 5_000)
    t.same([...idle.active(5_001)], ['taken-over'])
  },
)

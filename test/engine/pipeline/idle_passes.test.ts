import t from 'tap'
import { IdlePasses } from '../../../engine/pipeline/idle_passes.js'
import type { OpenPass } from '../../../engine/passes/pass.js'

const aPass = () => ({}) as OpenPass

t.test(
  'a pass rests half a second after its last detection at five frames a second, though the camera goes on',
  async (t) => {
    const rest = new IdlePasses()
    const [gone, here] = [aPass(), aPass()]
    for (let frame = 0; frame <= 10; frame++) {
      rest.frame('main', 1_000_000 + frame * 200, frame * 200)
      if (frame <= 5) rest.touch(gone, frame * 200)
      rest.touch(here, frame * 200)
    }
    t.same([...rest.awake(1_400)], ['main'])
    t.notOk(rest.rests('main', gone, 1_499))
    t.ok(rest.rests('main', gone, 1_500))
    t.notOk(rest.rests('main', here, 2_000), 'one that is still seen does not')
  },
)

t.test('a slow camera is waited for: until a frame came, or should have come, without the car', async (t) => {
  const rest = new IdlePasses()
  const pass = aPass()
  rest.frame('slow', 0, 0)
  rest.touch(pass, 0)
  t.notOk(rest.rests('slow', pass, 2_999), 'of one frame nobody knows when the next one comes')
  rest.frame('slow', 1_000, 1_000)
  rest.touch(pass, 1_000)
  t.notOk(rest.rests('slow', pass, 2_499))
  t.ok(rest.rests('slow', pass, 2_500))
  rest.frame('slow', 500, 1_001)
  t.notOk(rest.rests('slow', pass, 2_499), 'a late frame says nothing of the pace')
  rest.frame('slow', 61_000, 61_000)
  rest.touch(pass, 61_000)
  t.notOk(rest.rests('slow', pass, 63_999))
  t.ok(rest.rests('slow', pass, 64_000), 'never longer than 3 s')
})

t.test(
  'a camera that goes quiet is named once more, with all its passes at rest, and then no more until it sends',
  async (t) => {
    const rest = new IdlePasses()
    const pass = aPass()
    rest.await('taken-over', 0)
    t.same([...rest.awake(2_999)], ['taken-over'])
    t.notOk(rest.rests('taken-over', pass, 2_999))
    t.same([...rest.awake(3_000)], ['taken-over'])
    t.ok(rest.rests('taken-over', pass, 3_000))
    t.same([...rest.awake(3_001)], [])
    rest.frame('taken-over', 5_000, 5_000)
    t.same([...rest.awake(5_001)], ['taken-over'])
  },
)

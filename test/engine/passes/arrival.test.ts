import t from 'tap'
import { pack, unpack } from '../../../engine/partition/packed.js'
import { CameraPasses, type CameraJson } from '../../../engine/passes/camera_passes.js'
import { detectionOf, frameOf } from './plates.js'
import { RULES, T0 } from './player.js'

/** The time that decides which hot lists apply to the car that comes alone with message `seq`. */
function arrivalOf(camera: CameraPasses, seq: number, arrivedAt: number): number {
  const car = detectionOf('ABCDEFGH'.charAt(seq).repeat(6), 100, 4_000 * seq)
  const capture = { ...frameOf(seq, T0 + seq * 10_000), arrivedAt }
  return camera.advance(capture, [car], () => String(seq)).touched[0]!.arrivedAt
}

t.test('a message counts as having arrived no earlier than those before it, over a restart too', async (t) => {
  let camera = CameraPasses.empty('main-st', RULES)
  t.equal(arrivalOf(camera, 1, T0 + 600_000), T0 + 600_000)
  t.equal(arrivalOf(camera, 2, T0), T0 + 600_000, 'the clock of nats-server was set back')
  camera = CameraPasses.fromJSON(unpack(pack(camera)) as CameraJson, RULES)
  t.equal(arrivalOf(camera, 3, T0 + 1_000), T0 + 600_000)
  t.equal(arrivalOf(camera, 4, T0 + 600_001), T0 + 600_001)
  const { arrivedAt, ...earlier } = camera.toJSON()
  t.equal(arrivedAt, T0 + 600_001)
  t.equal(arrivalOf(CameraPasses.fromJSON(earlier, RULES), 5, T0), T0, 'the state of an older release has none')
})

import t from 'tap'
import type { Observation } from '../../../engine/model/observation.js'
import type { Detection } from '../../../wasm/mod.js'
import { detectionOf } from './plates.js'
import { Player, type Shot } from './player.js'

/** What a camera reports of the vehicle that it calls `track`. */
function reportOf(
  plate: string,
  report: Observation['report'],
  { track = '17', confidence = 0.9 }: { track?: string; confidence?: number } = {},
): Detection {
  const { quad: _, ...detection } = detectionOf(plate, 0, 0, { confidence })
  return { ...detection, track, report } as unknown as Detection
}
const shot = (ms: number, ...detections: Detection[]): Shot => ({ ms, detections })
const plates = (player: Player) => player.reads.map(({ plate, frames }) => [plate, frames])

t.test('new, update and lost of one vehicle are one read with the text of the latest report', async (t) => {
  const player = new Player().play([
    shot(0, reportOf('7ABC123', 'new')),
    shot(400, reportOf('7ABC123', 'update')),
    shot(900, reportOf('7ABC123', 'update')),
    shot(20_000, reportOf('7ABC128', 'lost', { confidence: 0.7 })),
  ])
  t.same(plates(player), [['7ABC128', 4]])
  t.equal(player.reads[0]!.confidence, 0.7, 'and its confidence')
})

t.test('a report that comes out of order does not take the correction back', async (t) => {
  const player = new Player().play([
    shot(0, reportOf('7ABC123', 'new')),
    shot(900, reportOf('7ABC128', 'update')),
    shot(500, reportOf('7ABC123', 'update')),
  ])
  t.same(plates(player), [['7ABC128', 3]])
})

t.test('a correction with the time of the first report counts, though others came meanwhile', async (t) => {
  const player = new Player().play([
    shot(0, reportOf('7ABC123', 'new')),
    ...[1, 2, 3, 4, 5].map((s) => shot(s * 4_000, reportOf(`9XYZ00${s}`, 'new', { track: `o${s}` }))),
    { ...shot(0, reportOf('7ABC128', 'update')), name: 'late' },
  ])
  t.equal(player.reads.length, 6)
  t.same(plates(player)[0], ['7ABC128', 2])
})

t.test('the same name is another vehicle after a new, and after a minute', async (t) => {
  const player = new Player().play([
    shot(0, reportOf('7ABC123', 'new')),
    shot(10_000, reportOf('8XYZ987', 'new')),
    shot(11_000, reportOf('8XYZ980', 'update')),
    shot(90_000, reportOf('4KLM771', 'update')),
  ])
  t.same(plates(player), [
    ['7ABC123', 1],
    ['8XYZ980', 2],
    ['4KLM771', 1],
  ])
})

t.test('after lost a vehicle is closed as soon as any other pass', async (t) => {
  const player = new Player().play([
    shot(0, reportOf('7ABC123', 'new')),
    shot(500, reportOf('7ABC123', 'lost')),
    shot(5_000, reportOf('8XYZ987', 'new', { track: '18' })),
  ])
  t.equal(player.closed.length, 1)
  t.equal(player.camera.openCount, 1)
})

t.test('a restart changes nothing', async (t) => {
  const shots = [
    shot(0, reportOf('7ABC123', 'new')),
    shot(400, reportOf('7ABC128', 'update')),
    shot(700, reportOf('7ABC128', 'lost')),
  ]
  const straight = new Player().play(shots)
  const restarted = new Player()
  for (const one of shots) restarted.play([one]).restart()
  t.same(restarted.reads, straight.reads)
})

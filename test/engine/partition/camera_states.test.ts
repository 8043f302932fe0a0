import t from 'tap'
import { CameraStates } from '../../../engine/partition/camera_states.js'
import type { Packed } from '../../../engine/partition/packed.js'
import { openPassesOf, savedAt, saveEarlierState, saveState } from '../../../engine/partition/saved_state.js'
import { detectionOf, frameOf } from '../passes/plates.js'

const RULES = { gapMs: 3_000 }
const T0 = Date.UTC(2026, 0, 5, 12)
const HOUR_MS = 3_600_000
const NOBODY: ReadonlySet<string> = new Set()

/** States in front of a log, as the pipeline uses them. */
class Partition {
  readonly saved = new Map<string, Packed>()
  states = new CameraStates(this.saved, RULES, 0)

  /** A message of a camera at a time of the monotonic clock, and the checkpoint after it. */
  send(camera: string, ms: number, seen = true): void {
    const passes = this.states.get(camera, ms)
    passes.advance(
      frameOf(passes.seq + 1, T0 + ms),
      seen ? [detectionOf('7ABC123', 100, 300)] : [],
      (n) => `${ms}-${n}`,
    )
    this.save(camera, ms)
  }

  /** The open passes of a camera go into the store, and the camera into a checkpoint. */
  store(camera: string, ms: number): void {
    for (const { state } of this.states.peek(camera)!.open()) state.stored = { frames: state.frames, ts: state.last.ts }
    this.save(camera, ms)
  }

  restart(ms: number): void {
    this.states = new CameraStates(this.saved, RULES, ms)
  }

  get working(): string[] {
    return Array.from(this.states.all(), ({ camera }) => camera)
  }

  private save(camera: string, ms: number): void {
    this.saved.set(camera, saveState(this.states.peek(camera)!, T0 + ms))
  }
}

t.test('a camera is put away after a minute of silence, once its vehicle in view is stored as it is', async (t) => {
  const partition = new Partition()
  const { states } = partition
  partition.send('road', 0, false)
  partition.send('yard', 0)
  states.settle(59_999, NOBODY)
  t.same(partition.working, ['road', 'yard'])
  states.settle(60_000, new Set(['road']))
  t.same(partition.working, ['road', 'yard'], 'one has changes that no checkpoint has, one a read that is not stored')
  partition.store('yard', 61_000)
  states.settle(61_000, NOBODY)
  t.same(partition.working, [])
  t.equal(states.size, 2)
  t.equal(states.openPasses, 1)
  t.same(states.withOpenPasses(), ['yard'])
  t.ok(states.hasOpenPasses('yard'))
  t.notOk(states.hasOpenPasses('road'))
})

t.test('a camera that is put away goes on where it was when it sends again', async (t) => {
  const partition = new Partition()
  partition.send('yard', 0)
  partition.store('yard', 0)
  partition.states.settle(60_000, NOBODY)
  partition.send('yard', 100_000)
  t.same(partition.working, ['yard'])
  const [pass] = partition.states.peek('yard')!.open()
  t.match(pass!.state, { readId: '0-0', frames: 2, stored: { frames: 1, ts: T0 } })
  t.notOk(pass!.isStored)
  t.equal(partition.states.openPasses, 1)
  partition.states.settle(200_000, NOBODY)
  t.same(partition.working, ['yard'], 'it has to be stored again first')
})

t.test(
  'the next owner begins with the cameras whose vehicle is not stored; the others wait for a message',
  async (t) => {
    const partition = new Partition()
    partition.send('road', 0, false)
    partition.send('yard', 0)
    partition.send('gate', 0)
    partition.store('yard', 0)
    partition.restart(0)
    t.same(partition.working, ['gate'])
    t.equal(partition.states.openPasses, 2)
    t.same(partition.states.withOpenPasses(), ['yard', 'gate'])
  },
)

t.test('a camera is forgotten after 25 hours of silence, with a vehicle in view too', async (t) => {
  const partition = new Partition()
  const { states } = partition
  for (const camera of ['road', 'yard', 'gate']) partition.send(camera, 0, camera === 'yard')
  partition.store('yard', 0)
  t.same(states.forgotten(T0 + 25 * HOUR_MS + 60_000), [], 'none that works')
  states.settle(60_000, NOBODY)
  partition.send('gate', 2 * HOUR_MS, false)
  states.settle(2 * HOUR_MS + 60_000, NOBODY)
  t.same(states.forgotten(T0 + 25 * HOUR_MS), [])
  t.same(states.forgotten(T0 + 25 * HOUR_MS + 1), ['road', 'yard'])
  states.forget('yard')
  t.equal(states.openPasses, 0)
})

t.test('the state of an earlier release counts as not stored', async (t) => {
  const partition = new Partition()
  partition.send('yard', 0)
  const earlier = saveEarlierState(partition.states.peek('yard')!.toJSON(), T0 + 119_999)
  t.equal(savedAt(earlier), T0 + 60_000)
  t.equal(openPassesOf(earlier), 1)
  partition.saved.set('yard', earlier)
  partition.restart(0)
  t.same(partition.working, ['yard'])
})

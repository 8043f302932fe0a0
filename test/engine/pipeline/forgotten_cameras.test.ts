import t from 'tap'
import type { Camera } from '../../../engine/model/camera.js'
import type { Read } from '../../../engine/model/read.js'
import { ReadIds } from '../../../engine/model/read_id.js'
import { ENTRANCE, streamOf } from '../../../engine/nats/topology.js'
import { CameraStates } from '../../../engine/partition/camera_states.js'
import { CheckpointLog } from '../../../engine/partition/checkpoint_log.js'
import type { Packed } from '../../../engine/partition/packed.js'
import { saveState } from '../../../engine/partition/saved_state.js'
import { CameraPasses } from '../../../engine/passes/camera_passes.js'
import { FrameCache } from '../../../engine/pictures/frame_cache.js'
import { Checkpointer } from '../../../engine/pipeline/checkpointer.js'
import type { PipelineParts } from '../../../engine/pipeline/pipeline_parts.js'
import { Progress } from '../../../engine/pipeline/progress.js'
import { Sink } from '../../../engine/pipeline/sink.js'
import { Window } from '../../../engine/pipeline/window.js'
import { Metrics } from '../../../engine/runtime/metrics.js'
import { Retry } from '../../../engine/runtime/retry.js'
import { startTestNats } from '../../servers/nats.js'
import { detectionOf, frameOf, MAIN_ST } from '../passes/plates.js'

const PARTITION = { entrance: ENTRANCE.detections, count: 1, index: 0 }
const RULES = { gapMs: 3_000 }
const DAY_MS = 86_400_000

/** A camera with a vehicle in view, whose read is stored with its first detection or not at all. */
function savedCamera(camera: string, savedAt: number, stored: boolean): [string, Packed] {
  const passes = CameraPasses.empty(camera, RULES)
  const record: Camera = { ...MAIN_ST, id: camera }
  passes.advance({ ...frameOf(1, savedAt, record), jpeg: undefined }, [detectionOf('7ABC123', 100, 300)], () =>
    camera === 'former' ? '71' : '72',
  )
  if (stored) for (const { state } of passes.open()) state.stored = { frames: 1, ts: savedAt }
  return [camera, saveState(passes, savedAt)]
}

/** A partition that an owner takes over whose last checkpoint has `states`. */
async function partitionWith(t: Parameters<typeof startTestNats>[0], states: [string, Packed][], cameras: string[]) {
  const nats = await startTestNats(t, { partitions: 1 })
  const connection = await nats.connect()
  const [js, manager] = [connection.jetstream(), await connection.jetstreamManager()]
  const open = () => CheckpointLog.open(js, manager, PARTITION)
  const { created } = await manager.streams.info(streamOf(PARTITION))
  const stream = { created, epoch: 7 }
  await (await open()).prepare({ position: { committed: 0, wanted: 1, stream }, states }).write()
  const log = await open()
  // Taken over a while ago: what waited has been processed.
  const known = new CameraStates(log.cameras, RULES, performance.now() - 60_000)
  const progress = new Progress(known, new Window(1, { seq: 0 }), {
    hasChanged: false,
    takePositions: () => [],
    doneOf: () => undefined,
    size: 0,
    bound() {},
  })
  const reads: Read[] = []
  const checks: string[] = []
  const parts = {
    connection,
    manager,
    js,
    cameras: { cameras: new Map(cameras.map((id) => [id, { ...MAIN_ST, id }])) },
    lists: { check: ({ readId }: Read) => (checks.push(readId), []) },
    pictures: { sync: async () => {} },
    store: { write: async (batch: { reads: Read[] }) => void reads.push(...batch.reads) },
    provenance: () => ({ module: 'm', model: 'n', lists: 'l' }),
    metrics: new Metrics(),
    retry: new Retry({ warn: () => {}, info: () => {} }),
    ending: new AbortController().signal,
    batchMs: 1_000,
  } as unknown as PipelineParts
  const frames = new FrameCache(connection).of(streamOf(PARTITION))
  const sink = new Sink(parts, progress, frames, new ReadIds(7, 'detections'), log)
  const checkpointer = new Checkpointer(parts, progress, sink, log, frames, stream, { isSure: false, pending: 0 })
  return { checkpointer, progress, reads, checks, cameras: async () => [...(await open()).cameras.keys()].sort() }
}

t.test('a camera that sends nothing for a day leaves no state, and the read of its parked car', async (t) => {
  const now = Date.now()
  const states = [savedCamera('gone', now - 2 * DAY_MS, true), savedCamera('quiet', now - DAY_MS, true)]
  const { checkpointer, progress, reads, checks, cameras } = await partitionWith(t, states, ['gone', 'quiet'])
  t.equal(progress.openPasses, 2)
  t.same([...progress.cameras.all()], [], 'neither is loaded')
  await checkpointer.checkpoint(AbortSignal.timeout(10_000))
  t.same(await cameras(), ['quiet'])
  t.equal(progress.openPasses, 1)
  t.same(checks, ['72'], 'its pass closed: the lists are asked for the last time')
  t.same(reads, [], 'its read was in the store already')
})

t.test('a vehicle whose read was not stored is stored before its camera is forgotten', async (t) => {
  const { checkpointer, progress, reads, cameras } = await partitionWith(
    t,
    [savedCamera('gone', Date.now() - 2 * DAY_MS, false)],
    ['gone'],
  )
  t.same(
    Array.from(progress.cameras.all(), ({ camera }) => camera),
    ['gone'],
  )
  await checkpointer.checkpoint(AbortSignal.timeout(10_000), true)
  t.match(reads, [{ readId: '72', plate: '7ABC123', camera: 'gone' }])
  t.same(await cameras(), ['gone'], 'it is saved once more, as stored')
})

t.test('what a camera had in view that left the registry while it was put away is closed', async (t) => {
  const states = [savedCamera('former', Date.now(), true), savedCamera('quiet', Date.now(), true)]
  const { checkpointer, progress, checks, cameras } = await partitionWith(t, states, ['quiet'])
  await checkpointer.checkpoint(AbortSignal.timeout(10_000))
  t.same(checks, ['71'])
  t.equal(progress.openPasses, 1)
  t.same(await cameras(), ['former', 'quiet'], 'its state goes after a day')
})

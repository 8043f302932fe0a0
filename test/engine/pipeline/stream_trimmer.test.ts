import t from 'tap'
import { ENTRANCE, framesSubject, streamOf } from '../../../engine/nats/topology.js'
import type { CheckpointLog } from '../../../engine/partition/checkpoint_log.js'
import type { BehindPosition, Position } from '../../../engine/partition/position.js'
import type { PipelineParts } from '../../../engine/pipeline/pipeline_parts.js'
import type { Progress } from '../../../engine/pipeline/progress.js'
import { StreamTrimmer } from '../../../engine/pipeline/stream_trimmer.js'
import { isSince210 } from '../../../engine/nats/setup.js'
import { startTestNats } from '../../servers/nats.js'
import { natsVersion } from '../../servers/nats_version.js'
import { until } from '../../until.js'

t.setTimeout(120_000)

const skip = !isSince210(natsVersion()) && 'nats-server 2.9 loses messages while others are deleted by subject'

const PARTITION = { entrance: ENTRANCE.frames, count: 1, index: 0 }
const STREAM = streamOf(PARTITION)
const BOUND = 1_000_000
const FRAME = new Uint8Array(20_000)

/** A stream with `frames`, one for each name of a camera, and what trims it. */
async function streamWith(t: Parameters<typeof startTestNats>[0], frames: readonly string[]) {
  const nats = await startTestNats(t, { partitions: 1, framesMaxBytes: BOUND })
  const connection = await nats.connect()
  const js = connection.jetstream()
  const send = (camera: string) => js.publish(framesSubject(camera), FRAME)
  for (const camera of frames) await send(camera)
  const manager = await connection.jetstreamManager()
  const info = () => manager.streams.info(STREAM, { subjects_filter: '>' })
  const { created } = await info()
  const bounds: { limit: number; sharers: number }[] = []
  const consumer = { isSure: true, pending: 0 }
  const log = { partition: PARTITION, position: undefined as Position | undefined }
  const cameras = new Map([...new Set(frames)].map((camera) => [camera, {}]))
  const progress = {
    behind: { size: 1, bound: (limit: number, sharers: number) => void bounds.push({ limit, sharers }) },
    cameras: { workingCount: cameras.size },
  }
  const trimmer = new StreamTrimmer(
    { manager, connection, cameras: { cameras } } as unknown as PipelineParts,
    progress as unknown as Progress,
    log as unknown as CheckpointLog,
    { created, epoch: 1 },
    consumer,
  )
  /** Trims once by this position. */
  const trim = async (
    position: { committed: number; wanted: number; behind?: BehindPosition[] },
    wanted: [string, number][] = [],
  ) => {
    log.position = { ...position, stream: { created, epoch: 1 } }
    const before = bounds.length
    await until(() => {
      trimmer.run(new Map(wanted))
      return bounds.length > before || trimmer.failure !== undefined
    })
    return (await info()).state
  }
  return { trim, trimmer, log, consumer, manager, info, send, bounds, created }
}

/** `slow` is each sixth, from the first on. */
const MIXED = Array.from({ length: 42 }, (_, n) => (n % 6 === 0 ? 'slow' : n % 2 === 0 ? 'one' : 'two'))
const SLOW = { camera: 'slow', done: 1, doneAt: 0, waiting: 6, bytes: 120_000 }

t.test('what others are done with leaves a crowded stream; nothing that is not done does', { skip }, async (t) => {
  const { trim, trimmer, send, bounds } = await streamWith(t, MIXED)
  // Sequences 1 to 40 are done, but for those of the slow camera from 7 on; a picture may want frame 33 of one.
  const state = await trim({ committed: 40, wanted: 2, behind: [SLOW] }, [['one', 33]])
  const left = { slow: 6, one: MIXED.slice(32).filter((name) => name === 'one').length, two: 1 }
  t.same(state.subjects, Object.fromEntries(Object.entries(left).map(([name, count]) => [`frames.1.0.${name}`, count])))
  t.equal(trimmer.deleted, 1)
  t.same(bounds.at(-1), { limit: Infinity, sharers: 0 }, 'there is room again')
  for (let n = 0; n < 30; n++) await t.resolves(send('two'), 'no publisher is refused')
})

t.test('a stream with room is only cut at its beginning', async (t) => {
  const { trim } = await streamWith(t, MIXED.slice(0, 20))
  const state = await trim({ committed: 20, wanted: 2, behind: [SLOW] })
  t.equal(state.messages, 19)
})

t.test('cameras that are behind have a bound while the stream is nearly full', { skip }, async (t) => {
  const { trim, bounds } = await streamWith(
    t,
    Array.from({ length: 48 }, (_, n) => (n % 6 === 0 ? 'one' : 'slow')),
  )
  await trim({ committed: 48, wanted: 2, behind: [SLOW] })
  const { limit, sharers } = bounds.at(-1)!
  t.ok(limit >= BOUND / 2 && limit < BOUND * 0.7, `${limit} of ${BOUND} bytes`)
  t.equal(sharers, 2)
})

t.test('nothing leaves a stream of another life', { skip }, async (t) => {
  const { trimmer, log, manager, info, consumer, created } = await streamWith(t, MIXED)
  const position = { committed: 40, wanted: 41, stream: { created, epoch: 1 } }
  consumer.isSure = false
  log.position = position
  trimmer.run(new Map())
  consumer.isSure = true
  // Set back: it ends before what is committed.
  log.position = { ...position, committed: 50, wanted: 51 }
  let asked = 0
  const infoOf = manager.streams.info.bind(manager.streams)
  manager.streams.info = (...args) => {
    asked += 1
    return infoOf(...args)
  }
  await until(() => {
    trimmer.run(new Map())
    return asked > 0
  })
  t.equal((await info()).state.messages, MIXED.length)
})

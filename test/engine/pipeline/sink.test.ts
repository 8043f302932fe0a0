import t from 'tap'
import type { HotList } from '../../../engine/hotlists/hotlist.js'
import type { Hit } from '../../../engine/model/hit.js'
import { ReadIds } from '../../../engine/model/read_id.js'
import type { DecidedHit } from '../../../engine/hits/decided_hit.js'
import { HitPublisher } from '../../../engine/hits/hit_publisher.js'
import { ENTRANCE } from '../../../engine/nats/topology.js'
import { CheckpointLog } from '../../../engine/partition/checkpoint_log.js'
import { CameraStates } from '../../../engine/partition/camera_states.js'
import { FrameCache } from '../../../engine/pictures/frame_cache.js'
import { OpenPass } from '../../../engine/passes/pass.js'
import type { PipelineParts } from '../../../engine/pipeline/pipeline_parts.js'
import { Progress } from '../../../engine/pipeline/progress.js'
import { Window } from '../../../engine/pipeline/window.js'
import { Sink } from '../../../engine/pipeline/sink.js'
import { Metrics } from '../../../engine/runtime/metrics.js'
import { Retry } from '../../../engine/runtime/retry.js'
import { startTestNats } from '../../servers/nats.js'
import { decidedHit } from '../hits/decided.js'
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

const PARTITION = { entrance: ENTRANCE.frames, count: 4, index: 0 }

/** A sink in front of a real server; the limit is what that server would say. */
async function sinkFor(
  t: Parameters<typeof startTestNats>[0],
  maxPayload: number,
  { earlier = [], listed = true }: { earlier?: DecidedHit[]; listed?: boolean } = {},
) {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const metrics = new Metrics()
  const progress = new Progress(new CameraStates(new Map(), { gapMs: 3_000 }, 0), new Window(1, { seq: 0 }), {
    hasChanged: false,
    takePositions: () => [],
    doneOf: () => undefined,
    size: 0,
    bound() {},
  })
  const checked: number[] = []
  const manager = await connection.jetstreamManager()
  const limited = new Proxy(connection, {
    get: (target, name) => {
      const value: unknown = name === 'info' ? { max_payload: maxPayload } : Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const parts = {
    hitPublisher: await HitPublisher.open(limited, manager),
    lists: {
      check: (_: unknown, arrivedAt: number) => {
        checked.push(arrivedAt)
        if (!listed) return []
        const entry = { plate: '7ABC123', reason: 'x'.repeat(900) }
        return [{ list: LIST, entry, probability: 0.95, exact: true, tolerated: [] }]
      },
    },
    pictures: { make: async () => undefined },
    provenance: (arrivedAt: number) => ({ module: 'm', model: 'n', lists: String(arrivedAt) }),
    metrics,
    retry: new Retry({ warn: () => {}, info: () => {} }),
    ending: new AbortController().signal,
  } as unknown as PipelineParts
  const published = async () => {
    const { messages } = (await manager.streams.info('HITS')).state
    const all = Array.from({ length: messages }, (_, n) => manager.streams.getMessage('HITS', { seq: n + 1 }))
    return (await Promise.all(all)).map((message) => message.json<Hit>())
  }
  const frames = new FrameCache(connection).of('FRAMES-4-0')
  const openLog = () => CheckpointLog.open(connection.jetstream(), manager, PARTITION)
  const previous = await openLog()
  for (const one of earlier) await previous.prepareHit(one).write()
  const log = await openLog()
  return {
    sink: new Sink(parts, progress, frames, new ReadIds(7), log),
    progress,
    openLog,
    metrics,
    published,
    checked,
  }
}

const passOf = () => OpenPass.open('77', frameOf(1, 1_000), detectionOf('7ABC123', 100, 100))

t.test('a hit that the server does not take whole is published in part, not tried forever', async (t) => {
  const { sink, progress, metrics, published } = await sinkFor(t, 2_400)
  sink.enqueue(passOf(), MAIN_ST, true)
  await progress.epoch.settled()
  const [hit] = await published()
  t.match(hit, { hitId: '77.stolen.7ABC123', state: 'possible', reason: /^x{39}…$/ })
  t.equal(metrics.counters.hits_cut_total, 1)
  t.equal(progress.epoch.hits[0]!.reason, hit!.reason, 'the store keeps what was published')
})

t.test('a hit of which nothing can be published is in the store, and counted', async (t) => {
  const { sink, progress, metrics, published } = await sinkFor(t, 1_100)
  sink.enqueue(passOf(), MAIN_ST, true)
  await progress.epoch.settled()
  t.same(await published(), [])
  t.equal(metrics.counters.hits_unpublished_total, 1)
  t.equal(progress.epoch.hits.length, 1)
})

t.test('an idle pass is stored and not matched; its end is matched by when its last detection arrived', async (t) => {
  const { sink, progress, checked } = await sinkFor(t, 1_048_576)
  const pass = passOf()
  t.equal(sink.storeIdle(pass, MAIN_ST), true)
  await progress.epoch.settled()
  t.equal(progress.epoch.reads.get('77')!.lists, '1000')
  t.same(checked, [])
  sink.enqueue(pass, MAIN_ST, true)
  await progress.epoch.settled()
  t.same(checked, [1_000])
  t.equal(progress.epoch.hits.length, 1)
})

t.test('a hit is in the log before it is published', async (t) => {
  const { sink, progress, published, openLog } = await sinkFor(t, 1_048_576)
  sink.enqueue(passOf(), MAIN_ST, true)
  await progress.epoch.settled()
  const { decided } = await openLog()
  t.match([...decided.values()], [{ hit: (await published())[0], readId: '77', frames: 1, closing: true }])
  t.same(progress.epoch.decided, [...decided.keys()])
})

t.test('what an earlier tenure decided holds, though its list is gone; only then the list counts', async (t) => {
  const earlier = [decidedHit({}, { frames: 2 })]
  const { sink, progress, published, checked } = await sinkFor(t, 1_048_576, { earlier, listed: false })
  const pass = passOf()
  sink.checkEarly(pass, MAIN_ST)
  t.same(checked, [], 'nothing was decided at the first detection')
  pass.extend(frameOf(2, 1_200), detectionOf('7ABC123', 100, 100), 2_000)
  sink.checkEarly(pass, MAIN_ST)
  await progress.epoch.settled()
  t.match(await published(), [earlier[0]!.hit, { hitId: '77.stolen.7ABC123', revision: 2, state: 'withdrawn' }])
  t.same(progress.epoch.hits, await published())
})

t.test('a hit of a vehicle that is not read any more is withdrawn, once its messages were applied', async (t) => {
  const earlier = [decidedHit({}, { seq: 5 })]
  const { sink, progress, published } = await sinkFor(t, 1_048_576, { earlier })
  sink.settleEarlier()
  await progress.epoch.settled()
  t.same(await published(), [])
  progress.window.done = { seq: 5 }
  sink.settleEarlier()
  await progress.epoch.settled()
  t.match(await published(), [{ revision: 1 }, { revision: 2, state: 'withdrawn', probability: 0 }])
  t.same(progress.epoch.hits, await published())
  t.equal(progress.epoch.decided.length, 2)
})

t.test('a hit of a pass that is still open goes on under its next revision', async (t) => {
  const earlier = [decidedHit({}, { seq: 0 })]
  const { sink, progress, published } = await sinkFor(t, 1_048_576, { earlier })
  const passes = progress.cameras.get('main-st', 0)
  passes.advance(frameOf(1, 1_000), [detectionOf('7ABC123', 100, 100)], () => '77')
  const [pass] = [...passes.open()]
  sink.settleEarlier()
  pass!.extend(frameOf(2, 1_200), detectionOf('7ABC123', 100, 100), 2_000)
  sink.enqueue(pass!, MAIN_ST, true)
  await progress.epoch.settled()
  t.match(await published(), [{ revision: 1 }, { revision: 2, state: 'possible' }])
})

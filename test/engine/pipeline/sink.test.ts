import t from 'tap'
import type { HotList } from '../../../engine/hotlists/hotlist.js'
import type { Hit } from '../../../engine/model/hit.js'
import { ReadIds } from '../../../engine/model/read_id.js'
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

/** A sink in front of a real server; the limit is what that server would say. */
async function sinkFor(t: Parameters<typeof startTestNats>[0], maxPayload: number) {
  const nats = await startTestNats(t)
  const connection = await nats.connect()
  const metrics = new Metrics()
  const progress = new Progress(new CameraStates(new Map(), { gapMs: 3_000 }, 0), new Window(1, { seq: 0 }), {
    hasChanged: false,
    takePositions: () => [],
  })
  const checked: number[] = []
  const parts = {
    connection: { info: { max_payload: maxPayload } },
    js: connection.jetstream(),
    lists: {
      check: (_: unknown, arrivedAt: number) => {
        checked.push(arrivedAt)
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
    const { messages } = (await (await connection.jetstreamManager()).streams.info('HITS')).state
    if (messages === 0) return []
    const message = await (await connection.jetstreamManager()).streams.getMessage('HITS', { seq: 1 })
    return [message.json<Hit>()]
  }
  const frames = new FrameCache(connection).of('FRAMES-4-0')
  return { sink: new Sink(parts, progress, frames, new ReadIds(7)), progress, metrics, published, checked }
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

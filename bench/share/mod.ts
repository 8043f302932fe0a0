import { CameraRegistry, type ClickHouseClient, type Hit } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { defineBenchmark, number, text, type Values } from '../benchmark.js'
import { Latency, percentilePanel } from '../report/latency.js'
import { lower, type Measured } from '../report/result.js'
import { showProgress } from '../report/table.js'
import { recognizerAlone } from '../stream/recognizer_alone.js'
import { framesOfFeed, type BenchFrame } from '../system/feed_frames.js'
import { rowsOf } from '../system/ledger.js'
import { listTruth } from '../system/list_truth.js'
import { atPace } from '../system/pace.js'
import { publishFrame } from '../system/publish_frame.js'
import { PublishWindow } from '../system/publish_window.js'
import { type BenchSystem, withSystem } from '../system/system.js'
import { noise } from './noise.js'

const GOAL = { timesSlower: 2 }

const OPTIONS = {
  feed: text('FILE', 'bench/feeds/sample.mcap', 'feed whose frames the cameras send'),
  cameras: number(10, 'cameras that send frames of the feed', 1),
  rate: number(10, 'frames/s of each camera, and of the slow one', 1),
  seconds: number(60, 'length of each part', 5),
  width: number(3_840, "width of the slow camera's frames, pixels", 640),
}

export const benchmark = defineBenchmark({
  question: 'What does a camera whose frames cost many times as much as those of others do to the others?',
  method: `The whole system (platestream up) with one recognition thread. Cameras send frames of the feed at a fixed
    rate, first alone, then with one more camera, whose frames are large and full of noise. Every plate that is read
    gives a hit; its delay counts from the intended send time of the frame that made it.`,
  options: OPTIONS,
  goals: [
    `p99 of capture to hit with the slow camera, as a multiple of the same without it: at most ${GOAL.timesSlower}`,
  ],
  async run(values) {
    const feed = await framesOfFeed(values.feed)
    const slow = noise(values.width, Math.round((values.width * 9) / 16), 1)
    const [usualMs, slowMs] = [await costOf(feed.frames.map(({ jpeg }) => jpeg)), await costOf([slow])]
    return withSystem(
      async (system) => {
        const cameras = camerasOf(feed.frames, values.cameras)
        await register(system, [...cameras.keys(), SLOW], values.feed)
        const alone = await hitDelays(system, cameras, values)
        const beside = await hitDelays(system, new Map([...cameras, [SLOW, [slow]]]), values)
        return measuredOf(values, {
          usualMs,
          slowMs,
          slowBytes: slow.length,
          alone,
          beside,
          slowStored: await stored(system.store, `= '${SLOW}'`),
        })
      },
      { PLATESTREAM_ENGINE_WORKERS: '1' },
    )
  },
})

const SLOW = 'slow'

/** CPU time of a frame in one thread, ms. */
const costOf = async (jpegs: Uint8Array[]): Promise<number> => (await recognizerAlone(jpegs)).oneThread

/** Cameras, each with the frames of one camera of the feed. */
function camerasOf(frames: readonly BenchFrame[], count: number): Map<string, Uint8Array[]> {
  const sources = [...new Set(frames.map(({ camera }) => camera))]
  const framesOf = (source: string) => frames.filter(({ camera }) => camera === source).map(({ jpeg }) => jpeg)
  return new Map(Array.from({ length: count }, (_, n) => [`usual-${n}`, framesOf(sources[n % sources.length]!)]))
}

async function register(system: BenchSystem, ids: readonly string[], feed: string): Promise<void> {
  const registry = await CameraRegistry.open(system.connection)
  for (const [index, id] of ids.entries())
    await registry.put({ id, name: id, kind: 'fixed', lat: 38.5, lon: -121.7 + index / 100 })
  await listTruth(system.connection, feed)
}

/**
 * All cameras send for a while at the same rate, each its frames in order, again and again.
 * @returns delays of the first hits of vehicles before usual cameras
 */
async function hitDelays(
  { connection, store }: BenchSystem,
  cameras: ReadonlyMap<string, readonly Uint8Array[]>,
  { rate, seconds }: Values<typeof OPTIONS>,
): Promise<Latency> {
  const latency = new Latency()
  const before = await usualStored(store)
  const start = Date.now() + 200
  const hits = connection.subscribe('hits.>', {
    callback: (_, message) => {
      const hit = message.json<Hit>()
      if (hit.camera !== SLOW && hit.revision === 1 && Date.parse(hit.tsLast) >= start)
        latency.add(Date.now() - Date.parse(hit.tsLast))
    },
  })
  const ids = [...cameras.keys()]
  const publishes = new PublishWindow()
  const send = (i: number, intended: number) => {
    const camera = ids[i % ids.length]!
    const jpegs = cameras.get(camera)!
    const jpeg = jpegs[Math.floor(i / ids.length) % jpegs.length]!
    publishes.add(publishFrame(connection, { camera, offsetMs: 0, jpeg }, Math.round(intended), `${start}-${i}`))
    if (i % 500 === 499) showProgress(`${ids.length} cameras: ${i + 1} frames sent, ${latency.count} hits`)
  }
  await atPace(rate * ids.length, rate * ids.length * seconds, send, start)
  await publishes.drained()
  await untilUsualStored(store, before + rate * seconds * ids.filter((id) => id !== SLOW).length)
  hits.unsubscribe()
  return latency
}

/** Frames in the ledger. @param camera a condition in SQL */
async function stored(store: ClickHouseClient, camera: string): Promise<number> {
  const query = `SELECT sum(frames_in) AS n FROM platestream.ledger FINAL WHERE camera ${camera}`
  const [row] = await rowsOf<{ n: string }>(store, query)
  return Number(row?.n ?? 0)
}

const usualStored = (store: ClickHouseClient): Promise<number> => stored(store, `!= '${SLOW}'`)

/** Waits until the ledger has this many frames of usual cameras. @throws after ten minutes */
async function untilUsualStored(store: ClickHouseClient, count: number): Promise<void> {
  for (const end = Date.now() + 600_000; (await usualStored(store)) < count; await sleep(1_000))
    if (Date.now() > end) throw new Error(`the ledger does not get ${count} frames`)
}

interface Outcome {
  usualMs: number
  slowMs: number
  slowBytes: number
  /** Frames of the slow camera in the ledger when all others were there. */
  slowStored: number
  alone: Latency
  beside: Latency
}

function measuredOf(values: Values<typeof OPTIONS>, outcome: Outcome): Measured {
  const { usualMs, slowMs, slowBytes, slowStored, alone, beside } = outcome
  return {
    workload: { ...values, slowBytes, slowStored, hits: alone.count, hitsBeside: beside.count },
    figures: [
      lower('CPU of a usual frame', usualMs, 'ms'),
      lower('CPU of a slow frame', slowMs, 'ms'),
      ...alone.figures('capture to hit, alone'),
      ...beside.figures('capture to hit, beside the slow camera'),
      lower('p99 beside the slow camera, as a multiple', beside.at(99) / alone.at(99), 'times', GOAL.timesSlower),
    ],
    panels: [
      percentilePanel('capture to hit', [
        { name: 'alone', latency: alone },
        { name: 'beside the slow camera', latency: beside },
      ]),
    ],
  }
}

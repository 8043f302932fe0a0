import { CameraRegistry } from '../../engine/mod.js'
import { defineBenchmark, number, text, type Values } from '../benchmark.js'
import { higher, lower, type Measured } from '../report/result.js'
import { mean } from '../report/statistics.js'
import { framesOfFeed, type FeedFrames } from '../system/feed_frames.js'
import { listTruth } from '../system/list_truth.js'
import { type BenchSystem, withSystem } from '../system/system.js'
import { memoryFigures } from '../system/usage.js'
import { publishAtRate } from './at_rate.js'
import { watchEngineMemory } from './engine_memory.js'
import { publishFlatOut } from './flat_out.js'
import { recognizerAlone } from './recognizer_alone.js'

const GOAL = { framesPerSecond: 150, engineRatio: 1.3, hitP99Ms: 400 }

const OPTIONS = {
  feed: text(
    'FILE',
    'bench/feeds/sample.mcap',
    'feed to publish again and again; a truth file beside it adds a hot list',
  ),
  frames: number(3_000, 'frames to publish flat out', 1),
  rate: number(0, 'frames/s of the paced part; 0: a share of the flat-out rate'),
  share: number(0.7, 'share of the flat-out rate to offer when --rate is 0'),
  seconds: number(30, 'length of the paced part'),
}

export const benchmark = defineBenchmark({
  question: `How many 1280x720 JPEG frames a second become stored reads, what does the engine cost compared with
    recognition alone, and how long after its capture does a hit arrive?`,
  method: `The whole system (platestream up) on this machine. The recognizer alone runs on the same frames, in one
    thread and in one thread per core, before and after: the engine's CPU per frame is compared with the mean of both (a
    machine shared with others changes its speed from minute to minute). In between, frames of the feed are published
    again and again with their event time shifted: flat out from a backlog, which gives the rate; then at a share of
    that rate (or --rate), with Captured-At = the intended send time of each frame, so that a stall counts in the delay
    of every frame that it holds up (no coordinated omission). A frame is done when the ledger in ClickHouse has it.
    Every plate of the feed's truth is on a hot list, so that there are enough hits for percentiles.`,
  options: OPTIONS,
  goals: [
    `frames a second, flat out: at least ${GOAL.framesPerSecond}`,
    `engine's CPU per frame, as a multiple of the recognizer alone: at most ${GOAL.engineRatio}`,
    `capture to hit, p99: at most ${GOAL.hitP99Ms} ms`,
  ],
  async run(values) {
    const feed = await framesOfFeed(values.feed)
    const jpegs = feed.frames.map(({ jpeg }) => jpeg)
    const before = await recognizerAlone(jpegs)
    return withSystem(async (system) => {
      const listed = await registerFeed(system, values.feed, feed)
      const memory = watchEngineMemory(system.connection)
      const flat = await publishFlatOut(system, feed, values.frames, memory)
      const after = await recognizerAlone(jpegs)
      const offered = values.rate || Math.max(1, flat.framesPerSecond * values.share)
      const paced = await publishAtRate(system, feed, offered, values.seconds, values.frames)
      return measuredOf(values, feed, {
        listed,
        flat,
        paced,
        offered,
        alone: {
          oneThread: [before.oneThread, after.oneThread],
          allCores: [before.allCores, after.allCores],
        },
        memory: memory.settled(),
        usage: system.usage(),
      })
    })
  },
})

/** Registers the feed's cameras and hot lists, and a list of every plate of its truth. @returns entries of that list */
async function registerFeed(system: BenchSystem, file: string, feed: FeedFrames): Promise<number> {
  const registry = await CameraRegistry.open(system.connection)
  for (const camera of feed.cameras) await registry.put(camera)
  for (const list of feed.hotLists) await system.run(['hotlist', 'import', list.file, '--list', list.id])
  return listTruth(system.connection, file)
}

interface Outcome {
  listed: number
  offered: number
  flat: Awaited<ReturnType<typeof publishFlatOut>>
  paced: Awaited<ReturnType<typeof publishAtRate>>
  /** ms of CPU per frame, before and after. */
  alone: { oneThread: number[]; allCores: number[] }
  memory: { startMb: number; endMb: number }
  usage: ReturnType<BenchSystem['usage']>
}

function measuredOf(
  { feed: file, frames, seconds }: Values<typeof OPTIONS>,
  feed: FeedFrames,
  { listed, offered, flat, paced, alone, memory, usage }: Outcome,
): Measured {
  const cost = flat.cpu.find(({ name }) => name.endsWith(', engine'))!.value
  const [oneThread, allCores] = [mean(alone.oneThread), mean(alone.allCores)]
  return {
    workload: {
      feed: file,
      frames,
      cameras: feed.cameras.length,
      bytesAFrame: Math.round(mean(feed.frames.map(({ jpeg }) => jpeg.length))),
      listed,
      offered: Math.round(offered * 10) / 10,
      seconds,
      hits: paced.latency.count,
    },
    figures: [
      {
        ...higher('frames a second, flat out', flat.framesPerSecond, '1/s', GOAL.framesPerSecond),
        samples: flat.rates,
      },
      { ...lower('CPU a frame, recognizer alone, one thread', oneThread, 'ms'), samples: alone.oneThread },
      { ...lower('CPU a frame, recognizer alone, all cores', allCores, 'ms'), samples: alone.allCores },
      ...flat.cpu,
      lower('engine beside recognizer alone, one thread', cost / oneThread, 'times', GOAL.engineRatio),
      lower('engine beside recognizer alone, all cores', cost / allCores, 'times', GOAL.engineRatio),
      lower('sender behind its pace, most', paced.lateMs, 'ms'),
      ...paced.latency.figures('capture to hit', { p99: GOAL.hitP99Ms }),
      lower('engine memory, start', memory.startMb, 'MB'),
      lower('engine memory, end', memory.endMb, 'MB'),
      ...memoryFigures(usage),
    ],
    panels: [
      {
        kind: 'lines',
        title: 'flat out: frames stored',
        x: { label: 'interval' },
        y: { label: 'frames/s' },
        goal: GOAL.framesPerSecond,
        lines: [{ name: `${Math.round(flat.framesPerSecond)} in all`, points: flat.rates.map((rate, i) => [i, rate]) }],
      },
      {
        kind: 'bars',
        title: 'CPU per frame',
        unit: 'ms',
        bars: [
          { label: 'recognizer alone, one thread', value: oneThread },
          { label: 'recognizer alone, all cores', value: allCores },
          ...flat.cpu.map(({ name, value }) => ({ label: name, value })),
        ],
      },
      paced.latency.panel(`capture to hit at ${Math.round(offered)} frames/s`, GOAL.hitP99Ms),
    ],
  }
}

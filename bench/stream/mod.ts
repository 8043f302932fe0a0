import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { NatsConnection } from 'nats'
import { CameraRegistry, type EngineStatus, type Hit, saveHotList } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { framesOfFeed } from '../system/feed_frames.js'
import { framesStored, publishFrame, untilStored } from '../system/publish_frame.js'
import { recognizerAlone } from './recognizer_alone.js'
import { Latency } from '../report/latency.js'
import { atPace } from '../system/pace.js'
import type { Measured } from '../report/result.js'
import { cpuFigures, memoryFigures } from '../system/usage.js'
import { startSystem, type BenchSystem } from '../system/system.js'

export const summary = 'frames on NATS to stored reads: rate, delay from capture to hit, memory'

/**
 * Question: how many 1280x720 JPEG frames a second become stored reads, what does the engine cost beside recognition
 * alone, and how long after its capture does a hit arrive?
 *
 * Method: the whole system (`platestream up`) on this machine. The recognizer alone on the same frames, in one thread
 * and in one on each core, before and after: the engine's CPU a frame is held against the mean of both (a machine
 * shared with others changes its speed from minute to minute). In between frames of the bundled feed are published over
 * and over with event time moved on: flat out from a backlog, which gives the rate; then at a share of that rate (or
 * --rate) with Captured-At = the time each frame was *meant* to be sent, so that a stall counts in the delay of every
 * frame that it holds up (no coordinated omission). A frame counts as done when the ledger in ClickHouse has it. Every
 * plate of the feed's truth is on a hot list, so that there are hits enough for percentiles.
 */
export async function run(args: string[]): Promise<Measured> {
  const { values } = parseArgs({
    args,
    options: {
      feed: { type: 'string', default: 'bench/feeds/sample.mcap' },
      frames: { type: 'string', default: '3000' },
      share: { type: 'string', default: '0.7' },
      rate: { type: 'string', default: '0' },
      seconds: { type: 'string', default: '30' },
    },
  })
  const folder = await mkdtemp(join(tmpdir(), 'platestream-bench-'))
  const feed = await framesOfFeed(values.feed!)
  const jpegs = feed.frames.map(({ jpeg }) => jpeg)
  const before = await recognizerAlone(jpegs)
  const system = await startSystem(folder)
  try {
    const registry = await CameraRegistry.open(system.connection)
    for (const camera of feed.cameras) await registry.put(camera)
    for (const list of feed.hotLists) await system.run(['hotlist', 'import', list.file, '--list', list.id])
    const listed = truthBeside(values.feed!)
    if (listed.length > 0)
      await saveHotList(
        system.connection.jetstream(),
        {
          id: 'truth',
          name: 'All of the feed',
          kind: 'hot',
          priority: 'low',
          source: 'bench',
          tolerance: 'tolerant',
          threshold: 0.5,
        },
        listed.map((plate) => ({ plate, reason: 'bench' })),
      )
    const watch = watchEngine(system.connection)

    const count = Number(values.frames)
    const flat = await flatOut(system, feed, count, watch)
    const after = await recognizerAlone(jpegs)
    const alone = { oneThread: [before.oneThread, after.oneThread], allCores: [before.allCores, after.allCores] }
    const offered = Number(values.rate) || Math.max(1, flat.framesPerSecond * Number(values.share))
    const paced = await atRate(system, feed, offered, Number(values.seconds), count)
    const memory = watch.memory()
    const cost = flat.cpu.find(({ name }) => name.endsWith(', engine'))!.value
    return {
      workload: {
        feed: values.feed,
        frames: count,
        cameras: feed.cameras.length,
        bytesAFrame: Math.round(feed.frames.reduce((sum, f) => sum + f.jpeg.length, 0) / feed.frames.length),
        listed: listed.length,
        offered: Math.round(offered * 10) / 10,
        seconds: Number(values.seconds),
        hits: paced.latency.count,
      },
      figures: [
        {
          name: 'frames a second, flat out',
          value: flat.framesPerSecond,
          unit: '1/s',
          better: 'higher',
          goal: 150,
          samples: flat.rates,
        },
        {
          name: 'CPU a frame, recognizer alone, one thread',
          value: mean(alone.oneThread),
          unit: 'ms',
          better: 'lower',
          samples: alone.oneThread,
        },
        {
          name: 'CPU a frame, recognizer alone, all cores',
          value: mean(alone.allCores),
          unit: 'ms',
          better: 'lower',
          samples: alone.allCores,
        },
        ...flat.cpu,
        {
          name: 'engine beside recognizer alone, one thread',
          value: cost / mean(alone.oneThread),
          unit: 'times',
          better: 'lower',
          goal: 1.3,
        },
        {
          name: 'engine beside recognizer alone, all cores',
          value: cost / mean(alone.allCores),
          unit: 'times',
          better: 'lower',
          goal: 1.3,
        },
        { name: 'sender behind its pace, most', value: paced.lateMs, unit: 'ms', better: 'lower' },
        ...paced.latency.figures('capture to hit', { p99: 400 }),
        { name: 'engine memory, start', value: memory.startMb, unit: 'MB', better: 'lower' },
        { name: 'engine memory, end', value: memory.endMb, unit: 'MB', better: 'lower' },
        ...memoryFigures(system.usage()),
      ],
      panels: [
        {
          kind: 'lines',
          title: 'flat out: frames stored',
          x: { label: 'interval' },
          y: { label: 'frames/s' },
          goal: 150,
          lines: [
            { name: `${Math.round(flat.framesPerSecond)} in all`, points: flat.rates.map((rate, i) => [i, rate]) },
          ],
        },
        {
          kind: 'bars',
          title: 'CPU a frame',
          unit: 'ms',
          bars: [
            { label: 'recognizer alone, one thread', value: mean(alone.oneThread) },
            { label: 'recognizer alone, all cores', value: mean(alone.allCores) },
            ...flat.cpu.map(({ name, value }) => ({ label: name, value })),
          ],
        },
        paced.latency.panel(`capture to hit at ${Math.round(offered)} frames/s`, 400),
      ],
    }
  } finally {
    await system.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Plates of `<feed>.truth.json`. */
function truthBeside(feed: string): string[] {
  const file = feed.replace(/\.mcap$/, '.truth.json')
  if (!existsSync(file)) return []
  const { passes } = JSON.parse(readFileSync(file, 'utf8')) as { passes: { plate: string | null }[] }
  return [...new Set(passes.flatMap(({ plate }) => (plate === null ? [] : [plate])))]
}

type Feed = Awaited<ReturnType<typeof framesOfFeed>>

/** Publishes as fast as the stream takes it, with a window of publishes in flight, and waits until all is stored. */
async function flatOut(system: BenchSystem, feed: Feed, count: number, watch: Watch) {
  const start = Date.now()
  const before = system.usage()
  const points: [at: number, frames: number][] = [[start, 0]]
  const eventStart = start - Math.ceil(count / feed.frames.length) * feed.durationMs
  const inFlight = new Set<Promise<unknown>>()
  for (let i = 0; i < count; i++) {
    const frame = feed.frames[i % feed.frames.length]!
    const round = Math.floor(i / feed.frames.length)
    const capturedAt = eventStart + round * feed.durationMs + frame.offsetMs
    const work: Promise<unknown> = publishFrame(system.connection, frame, capturedAt, `flat-${start}-${i}`).finally(
      () => inFlight.delete(work),
    )
    inFlight.add(work)
    if (inFlight.size >= 64) await Promise.race(inFlight)
    if (i % 500 === 499) progress(`published ${i + 1} of ${count}, stored ${await framesStored(system.store)}`)
  }
  await Promise.all(inFlight)
  await untilStored(system.store, count, (stored) => {
    if (Date.now() - points.at(-1)![0] >= 1_000) points.push([Date.now(), stored])
    progress(`published ${count}, stored ${stored}, engine ${Math.round(watch.lastMemory() / 1e6)} MB`)
  })
  const seconds = (Date.now() - start) / 1000
  const rates = points
    .slice(1)
    .map(([at, frames], i) => ((frames - points[i]![1]) * 1_000) / (at - points[i]![0]))
    .filter((rate) => rate > 0)
  return { framesPerSecond: count / seconds, rates, cpu: cpuFigures(before, system.usage(), count, 'ms', 'frame') }
}

/** Publishes at a fixed rate; the delay of a hit counts from the intended send time of the frame that made it. */
async function atRate(system: BenchSystem, feed: Feed, rate: number, seconds: number, publishedBefore: number) {
  const latency = new Latency()
  const start = Date.now() + 200
  const hits = system.connection.subscribe('hits.>', {
    callback: (_, message) => {
      const hit = message.json<Hit>()
      if (hit.revision === 1 && Date.parse(hit.tsLast) >= start) latency.add(Date.now() - Date.parse(hit.tsLast))
    },
  })
  const count = Math.round(rate * seconds)
  const inFlight = new Set<Promise<unknown>>()
  const lateMs = await atPace(
    rate,
    count,
    (i, intended) => {
      const work: Promise<unknown> = publishFrame(
        system.connection,
        feed.frames[i % feed.frames.length]!,
        Math.round(intended),
        `paced-${start}-${i}`,
      ).finally(() => inFlight.delete(work))
      inFlight.add(work)
      if (i % 500 === 499) progress(`offered ${i + 1} of ${count} at ${Math.round(rate)}/s, ${latency.count} hits`)
    },
    start,
  )
  await Promise.all(inFlight)
  await untilStored(system.store, publishedBefore + count, () => {})
  await sleep(1_000)
  hits.unsubscribe()
  return { latency, lateMs }
}

interface Watch {
  lastMemory(): number
  memory(): { startMb: number; endMb: number; mostMb: number; samples: number }
}

/** Memory of the engine as it tells it itself once a second. */
function watchEngine(connection: NatsConnection): Watch {
  const samples: number[] = []
  void (async () => {
    for await (const message of connection.subscribe('status.engine.*'))
      samples.push(message.json<EngineStatus>().gauges.memory_bytes ?? 0)
  })()
  const mb = (bytes = 0) => Math.round(bytes / 1e6)
  // The first tenth is warm-up: pools fill, V8 tiers up.
  const settled = () => samples.slice(Math.floor(samples.length / 10))
  return {
    lastMemory: () => samples.at(-1) ?? 0,
    memory: () => {
      const all = settled()
      const part = Math.max(1, Math.floor(all.length / 10))
      return {
        startMb: mb(mean(all.slice(0, part))),
        endMb: mb(mean(all.slice(-part))),
        mostMb: mb(Math.max(...all)),
        samples: all.length,
      }
    },
  }
}

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)

const progress = (text: string) => {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build as buildHistogram, type Histogram } from 'hdr-histogram-js'
import { headers, type NatsConnection } from 'nats'
import { CameraRegistry } from '../engine/frames/registry.js'
import type { Hit } from '../engine/hit.js'
import { framesSubject, HEADER } from '../engine/nats/topology.js'
import { sleep } from '../engine/pause.js'
import type { EngineStatus } from '../engine/status.js'
import type { ClickHouseClient } from '../engine/store/client.js'
import { framesOfFeed, type BenchFrame } from './frames_of_feed.js'
import { startSystem, type BenchSystem } from './system.js'

export const summary = 'frames on NATS to stored reads: rate, delay from capture to hit, memory'

/**
 * Question: how many 1280x720 JPEG frames a second become stored reads, and how long after its capture does a hit arrive?
 *
 * Method: the whole system (`platestream up`) on this machine. Frames of the bundled feed are published over and over with event time moved
 * on. First flat out from a backlog, which gives the rate; then at a share of that rate with Captured-At = the time each frame was *meant* to be
 * sent, so that a stall counts in the delay of every frame that it holds up (no coordinated omission). A frame counts as done when
 * the ledger in ClickHouse has it.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      feed: { type: 'string', default: 'bench/feeds/sample.mcap' },
      frames: { type: 'string', default: '3000' },
      share: { type: 'string', default: '0.7' },
      seconds: { type: 'string', default: '30' },
      out: { type: 'string' },
    },
  })
  const folder = await mkdtemp(join(tmpdir(), 'platestream-bench-'))
  const feed = await framesOfFeed(values.feed!)
  const system = await startSystem(folder)
  try {
    const registry = await CameraRegistry.open(system.connection)
    for (const camera of feed.cameras) await registry.put(camera)
    for (const list of feed.hotLists) await system.run(['hotlist', 'import', list.file, '--list', list.id])
    const watch = watchEngine(system.connection)

    const count = Number(values.frames)
    const flat = await flatOut(system, feed, count, watch)
    const offered = Math.max(1, flat.framesPerSecond * Number(values.share))
    const paced = await atRate(system, feed, offered, Number(values.seconds), flat.published)
    const result = {
      benchmark: 'stream', at: new Date().toISOString(),
      machine: { cpu: cpus()[0]?.model, cores: cpus().length, node: process.version },
      workload: { feed: values.feed, cameras: feed.cameras.length, bytesPerFrame: Math.round(feed.frames.reduce((sum, f) => sum + f.jpeg.length, 0) / feed.frames.length) },
      flatOut: flat, paced, memory: watch.memory(),
    }
    print(result)
    if (values.out) await writeFile(values.out, `${JSON.stringify(result, null, 2)}\n`)
    return result
  } finally {
    await system.close()
    await rm(folder, { recursive: true, force: true })
  }
}

type Feed = Awaited<ReturnType<typeof framesOfFeed>>

/** Publishes as fast as the stream takes it, with a window of publishes in flight, and waits until all is stored. */
async function flatOut(system: BenchSystem, feed: Feed, count: number, watch: Watch) {
  const start = Date.now()
  const cpuBefore = await system.cpuSeconds()
  const eventStart = start - Math.ceil(count / feed.frames.length) * feed.durationMs
  const inFlight = new Set<Promise<unknown>>()
  for (let i = 0; i < count; i++) {
    const frame = feed.frames[i % feed.frames.length]!
    const round = Math.floor(i / feed.frames.length)
    const capturedAt = eventStart + round * feed.durationMs + frame.offsetMs
    const work: Promise<unknown> = publish(system.connection, frame, capturedAt, `flat-${start}-${i}`).finally(() => inFlight.delete(work))
    inFlight.add(work)
    if (inFlight.size >= 64) await Promise.race(inFlight)
    if (i % 500 === 499) progress(`published ${i + 1} of ${count}, stored ${await framesStored(system.store)}`)
  }
  await Promise.all(inFlight)
  const publishedAt = Date.now()
  await untilStored(system.store, count, (stored) => progress(`published ${count}, stored ${stored}, engine ${Math.round(watch.lastMemory() / 1e6)} MB`))
  const seconds = (Date.now() - start) / 1000
  const cpuAfter = await system.cpuSeconds()
  const cpuMs = Object.fromEntries(Object.entries(cpuAfter).map(([name, value]) => [name, round(((value - (cpuBefore[name] ?? 0)) * 1000) / count)] as const))
  return { frames: count, published: count, seconds: round(seconds), publishSeconds: round((publishedAt - start) / 1000), framesPerSecond: round(count / seconds), cpuMsPerFrame: cpuMs }
}

/** Publishes at a fixed rate; the delay of a hit counts from the intended send time of the frame that made it. */
async function atRate(system: BenchSystem, feed: Feed, rate: number, seconds: number, publishedBefore: number) {
  const delays = buildHistogram({ lowestDiscernibleValue: 1, highestTrackableValue: 600_000, numberOfSignificantValueDigits: 3 })
  const hits = system.connection.subscribe('hits.>')
  const start = Date.now() + 200
  void (async () => {
    for await (const message of hits) {
      const hit = message.json<Hit>()
      if (hit.revision === 1 && Date.parse(hit.tsLast) >= start) delays.recordValue(Math.max(1, Date.now() - Date.parse(hit.tsLast)))
    }
  })()
  const count = Math.round(rate * seconds)
  const inFlight = new Set<Promise<unknown>>()
  let lateMs = 0
  for (let i = 0; i < count; i++) {
    const intended = start + (i * 1000) / rate
    await sleep(Math.max(0, intended - Date.now()))
    lateMs = Math.max(lateMs, Date.now() - intended)
    const work: Promise<unknown> = publish(system.connection, feed.frames[i % feed.frames.length]!, Math.round(intended), `paced-${start}-${i}`).finally(() => inFlight.delete(work))
    inFlight.add(work)
    if (i % 500 === 499) progress(`offered ${i + 1} of ${count} at ${round(rate)}/s, ${delays.totalCount} hits`)
  }
  await Promise.all(inFlight)
  await untilStored(system.store, publishedBefore + count, () => {})
  await sleep(1_000)
  hits.unsubscribe()
  return { offeredPerSecond: round(rate), seconds, frames: count, senderLateMs: Math.round(lateMs), hits: delays.totalCount, captureToHitMs: percentiles(delays) }
}

async function publish(connection: NatsConnection, frame: BenchFrame, capturedAt: number, id: string): Promise<void> {
  const header = headers()
  header.set(HEADER.capturedAt, new Date(capturedAt).toISOString())
  header.set(HEADER.msgId, id)
  for (;;) {
    try {
      await connection.jetstream().publish(framesSubject(frame.camera), frame.jpeg, { headers: header, timeout: 10_000 })
      return
    } catch {
      await sleep(100)
    }
  }
}

async function framesStored(store: ClickHouseClient): Promise<number> {
  const result = await store.query({ query: 'SELECT sum(frames_in) AS n FROM platestream.ledger FINAL', format: 'JSONEachRow' })
  return Number((await result.json<{ n: string }>())[0]?.n ?? 0)
}

async function untilStored(store: ClickHouseClient, count: number, tell: (stored: number) => void): Promise<void> {
  for (let last = -1, stuckSince = Date.now(); ;) {
    const stored = await framesStored(store)
    tell(stored)
    if (stored >= count) return
    if (stored !== last) [last, stuckSince] = [stored, Date.now()]
    if (Date.now() - stuckSince > 120_000) throw new Error(`the ledger stays at ${stored} of ${count} frames`)
    await sleep(200)
  }
}

interface Watch {
  lastMemory(): number
  memory(): { startMb: number; endMb: number; mostMb: number; samples: number }
}

/** Memory of the engine as it tells it itself once a second. */
function watchEngine(connection: NatsConnection): Watch {
  const samples: number[] = []
  void (async () => {
    for await (const message of connection.subscribe('status.engine.*')) samples.push(message.json<EngineStatus>().gauges.memory_bytes ?? 0)
  })()
  const mb = (bytes = 0) => Math.round(bytes / 1e6)
  // The first tenth is warm-up: pools fill, V8 tiers up.
  const settled = () => samples.slice(Math.floor(samples.length / 10))
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)
  return {
    lastMemory: () => samples.at(-1) ?? 0,
    memory: () => {
      const all = settled()
      const part = Math.max(1, Math.floor(all.length / 10))
      return { startMb: mb(mean(all.slice(0, part))), endMb: mb(mean(all.slice(-part))), mostMb: mb(Math.max(...all)), samples: all.length }
    },
  }
}

const percentiles = (h: Histogram) => ({ p50: h.getValueAtPercentile(50), p90: h.getValueAtPercentile(90), p99: h.getValueAtPercentile(99), p999: h.getValueAtPercentile(99.9), max: h.maxValue })
const round = (value: number) => Math.round(value * 100) / 100
const progress = (text: string) => { process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`) }

function print(result: any): void {
  const { flatOut, paced, memory } = result
  console.log(`\nflat out   ${flatOut.frames} frames in ${flatOut.seconds} s = ${flatOut.framesPerSecond} frames/s, NATS to stored read`)
  console.log(`           CPU ms per frame: ${Object.entries(flatOut.cpuMsPerFrame).map(([name, value]) => `${name} ${value}`).join(', ')}`)
  console.log(`paced      ${paced.offeredPerSecond} frames/s offered for ${paced.seconds} s, ${paced.hits} hits; capture to hit ms: ${Object.entries(paced.captureToHitMs).map(([name, value]) => `${name} ${value}`).join(', ')}`)
  console.log(`memory     engine ${memory.startMb} MB at the start, ${memory.endMb} MB at the end, ${memory.mostMb} MB at most (${memory.samples} samples after warm-up)`)
}

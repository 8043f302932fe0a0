import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CameraRegistry } from '../../engine/mod.js'
import { AlprError, sleep } from '../../engine/runtime/mod.js'
import { framesOfFeed } from '../system/feed_frames.js'
import { framesStored, publishFrame, untilStored } from '../system/publish_frame.js'
import type { Measured } from '../report/result.js'
import { startSystem, type BenchSystem } from '../system/system.js'

export const summary = 'kill -9 of each part at full load: how long until frames are stored at the full rate again'

const PARTS = ['engine', 'gateway', 'store', 'nats-server'] as const
/** Frames that wait, so that the engine never does: some seconds of work. */
const kWaiting = 600
/** So often the ledger is looked at, ms. */
const kLookMs = 250
/** A checkpoint a second makes the ledger move in steps; over so long they even out, ms. */
const kWindowMs = 4_000
/** Of the rate before: full. */
const kFull = 0.9
/** Of that rate, in either half of the window. */
const kSteady = { least: 0.6, most: 1.3 }

export type Point = [ms: number, stored: number]

/**
 * Question: a part is killed while the system works as fast as it can; how many seconds later is it back at its full
 * rate?
 *
 * Method: the whole system (`platestream up`), frames of the feed flat out with a backlog. For each part: the rate over
 * `--seconds`, kill -9, and the ledger is looked at until the frames stored over 4 s are 90 % of that rate; the
 * beginning of those 4 s is the answer. In the end every frame must be in the ledger once, or there is no result.
 */
export async function run(args: string[]): Promise<Measured> {
  const { values } = parseArgs({
    args,
    options: {
      feed: { type: 'string', default: 'bench/feeds/sample.mcap' },
      seconds: { type: 'string', default: '15' },
      rounds: { type: 'string', default: '3' },
    },
  })
  const [steadyMs, rounds] = [Number(values.seconds) * 1_000, Number(values.rounds)]
  if (!(steadyMs >= kWindowMs && rounds >= 1))
    throw new AlprError('ALPR_ERR_USAGE', { reason: '--seconds must be 4 or more, --rounds 1 or more' })
  const folder = await mkdtemp(join(tmpdir(), 'platestream-recovery-'))
  const feed = await framesOfFeed(values.feed!)
  const system = await startSystem(folder)
  try {
    const registry = await CameraRegistry.open(system.connection)
    for (const camera of feed.cameras) await registry.put(camera)
    const load = new Load(system, feed)
    load.start()
    await sleep(steadyMs)
    const took: Record<string, number[]> = {}
    const lines: { name: string; points: Point[] }[] = []
    for (let round = 0; round < rounds; round++) {
      for (const part of PARTS) {
        const { ms, points } = await killed(system, load, part, steadyMs)
        ;(took[part] ??= []).push(ms / 1_000)
        if (round === 0)
          lines.push({ name: part, points: points.map(([at, stored]): Point => [at / 1_000, stored - points[0]![1]]) })
        process.stderr.write(`${part} killed: full rate after ${(ms / 1_000).toFixed(1)} s\n`)
      }
    }
    const published = await load.stop()
    await untilStored(system.store, published, () => {})
    const stored = await framesStored(system.store)
    if (stored !== published) throw new Error(`${published} frames were acknowledged, ${stored} are in the ledger`)
    return {
      workload: { feed: values.feed, frames: published, rounds, steadySeconds: steadyMs / 1_000 },
      figures: PARTS.map((part) => ({
        name: `full rate again, ${part} killed, slowest of ${rounds}`,
        value: Math.max(...took[part]!),
        unit: 's',
        better: 'lower' as const,
        goal: 10,
        samples: took[part]!,
      })),
      panels: [
        {
          kind: 'lines',
          title: 'frames stored from the kill on',
          x: { label: 'seconds' },
          y: { label: 'frames' },
          lines,
        },
      ],
    }
  } finally {
    await system.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Frames flat out, with a bounded backlog. */
class Load {
  private sent = 0
  private stored = 0
  private over = false
  private running: Promise<void> = Promise.resolve()

  constructor(
    private readonly system: BenchSystem,
    private readonly feed: Awaited<ReturnType<typeof framesOfFeed>>,
  ) {}

  start(): void {
    this.running = this.run()
  }

  /** @returns frames that were acknowledged */
  async stop(): Promise<number> {
    this.over = true
    await this.running
    return this.sent
  }

  /** Frames in the ledger; as last known while the store does not answer. */
  async look(): Promise<number> {
    this.stored = await framesStored(this.system.store).catch(() => this.stored)
    return this.stored
  }

  private async run(): Promise<void> {
    const { frames, durationMs } = this.feed
    // Event time begins far enough back that it never comes to now.
    const start = Date.now() - 30 * 86_400_000
    const inFlight = new Set<Promise<unknown>>()
    for (let i = 0; !this.over; i++) {
      while (i - this.stored > kWaiting && !this.over) await sleep(20)
      const frame = frames[i % frames.length]!
      const work: Promise<unknown> = publishFrame(
        this.system.connection,
        frame,
        start + Math.floor(i / frames.length) * durationMs + frame.offsetMs,
        `recovery-${start}-${i}`,
      ).finally(() => inFlight.delete(work))
      inFlight.add(work)
      this.sent = i + 1
      if (inFlight.size >= 64) await Promise.race(inFlight)
    }
    await Promise.all(inFlight)
  }
}

async function killed(
  system: BenchSystem,
  load: Load,
  part: string,
  steadyMs: number,
): Promise<{ ms: number; points: Point[] }> {
  const before: Point[] = []
  const started = performance.now()
  while (performance.now() - started < steadyMs) {
    before.push([performance.now(), await load.look()])
    await sleep(kLookMs)
  }
  const full = rateOf(before)
  system.kill(part)
  const at = performance.now()
  const points: Point[] = []
  for (;;) {
    points.push([performance.now() - at, await load.look()])
    const ms = backAt(points, full)
    if (ms !== undefined) return { ms, points }
    if (points.at(-1)![0] > 120_000)
      throw new Error(
        `${part} was killed two minutes ago, and frames are not stored at the rate of before (${Math.round(full * 1_000)}/s)`,
      )
    await sleep(kLookMs)
  }
}

const rateOf = (points: readonly Point[]): number =>
  (points.at(-1)![1] - points[0]![1]) / (points.at(-1)![0] - points[0]![0])

/**
 * From when on frames are stored at 90 % of `full` (frames a millisecond) over 4 s, with 60 to 130 % of it in either
 * half of them: what had waited for the store comes in one leap, which is no rate. Undefined while they are not.
 */
export function backAt(points: readonly Point[], full: number): number | undefined {
  const last = points.at(-1)!
  const before = (ms: number) => points.findLast(([at]) => at <= last[0] - ms)
  const [first, middle] = [before(kWindowMs), before(kWindowMs / 2)]
  if (!first || !middle) return undefined
  return rateOf([first, last]) >= kFull * full &&
    [rateOf([first, middle]), rateOf([middle, last])].every(
      (rate) => rate >= kSteady.least * full && rate <= kSteady.most * full,
    )
    ? first[0]
    : undefined
}

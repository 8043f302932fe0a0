import { CameraRegistry } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { defineBenchmark, number, text } from '../benchmark.js'
import { lower } from '../report/result.js'
import { framesOfFeed } from '../system/feed_frames.js'
import { framesStored, untilStored } from '../system/ledger.js'
import { type BenchSystem, withSystem } from '../system/system.js'
import { Load } from './load.js'
import { fullRateSince, kWindowMs, rateOf, type Point } from './steady_rate.js'

const PARTS = ['engine', 'gateway', 'store', 'nats-server'] as const
/** Interval between queries of the ledger, ms. */
const kPollMs = 250
/** A part must be back within this, ms. */
const kGiveUpMs = 120_000
const kGoalSeconds = 10

export const benchmark = defineBenchmark({
  question: `A part is killed while the system works as fast as it can. How many seconds later is the full rate back?`,
  method: `The whole system (platestream up), frames of the feed flat out with a backlog. For each part: the rate over
    --seconds, then kill -9, then the ledger is polled until the frames stored over 4 s reach 90 % of that rate; the
    start of those 4 s is the answer. At the end every frame must be in the ledger once, or there is no result.`,
  options: {
    feed: text('FILE', 'bench/feeds/sample.mcap', 'feed to publish again and again'),
    seconds: number(15, 'seconds over which the rate before each kill is measured', kWindowMs / 1_000),
    rounds: number(3, 'times that each part is killed', 1),
  },
  goals: [`full rate again after each kill: within ${kGoalSeconds} s`],
  async run({ feed: file, seconds, rounds }) {
    const feed = await framesOfFeed(file)
    return withSystem(async (system) => {
      const registry = await CameraRegistry.open(system.connection)
      for (const camera of feed.cameras) await registry.put(camera)
      const load = new Load(system, feed)
      load.start()
      await sleep(seconds * 1_000)
      const took: Record<string, number[]> = {}
      const lines: { name: string; points: Point[] }[] = []
      for (let round = 0; round < rounds; round++) {
        for (const part of PARTS) {
          const { ms, points } = await killAndWait(system, load, part, seconds * 1_000)
          ;(took[part] ??= []).push(ms / 1_000)
          const before = points[0]![1]
          if (round === 0)
            lines.push({ name: part, points: points.map(([at, stored]) => [at / 1_000, stored - before]) })
          process.stderr.write(`${part} killed: full rate after ${(ms / 1_000).toFixed(1)} s\n`)
        }
      }
      const published = await load.stop()
      await untilStored(system.store, published)
      const stored = await framesStored(system.store)
      if (stored !== published) throw new Error(`${published} frames were acknowledged, ${stored} are in the ledger`)
      return {
        workload: { feed: file, frames: published, rounds, steadySeconds: seconds },
        figures: PARTS.map((part) => ({
          ...lower(
            `full rate again, ${part} killed, slowest of ${rounds}`,
            Math.max(...took[part]!),
            's',
            kGoalSeconds,
          ),
          samples: took[part]!,
        })),
        panels: [
          {
            kind: 'lines',
            title: 'frames stored since the kill',
            x: { label: 'seconds' },
            y: { label: 'frames' },
            lines,
          },
        ],
      }
    })
  },
})

/** Measures the rate over `steadyMs`, kills the part, and polls until the rate is back. @throws after two minutes */
async function killAndWait(
  system: BenchSystem,
  load: Load,
  part: string,
  steadyMs: number,
): Promise<{ ms: number; points: Point[] }> {
  const before: Point[] = []
  const started = performance.now()
  while (performance.now() - started < steadyMs) {
    before.push([performance.now(), await load.countStored()])
    await sleep(kPollMs)
  }
  const full = rateOf(before)
  system.kill(part)
  const at = performance.now()
  const points: Point[] = []
  for (;;) {
    points.push([performance.now() - at, await load.countStored()])
    const ms = fullRateSince(points, full)
    if (ms !== undefined) return { ms, points }
    if (points.at(-1)![0] > kGiveUpMs)
      throw new Error(`two minutes after the kill of ${part}, the rate of ${Math.round(full * 1_000)}/s is not back`)
    await sleep(kPollMs)
  }
}

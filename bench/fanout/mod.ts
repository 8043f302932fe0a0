import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { hitsSubject } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { defineBenchmark, number, type Values } from '../benchmark.js'
import { Latency, percentilePanel } from '../report/latency.js'
import { lower, type Measured } from '../report/result.js'
import { atPace } from '../system/pace.js'
import { PublishWindow } from '../system/publish_window.js'
import { type BenchSystem, withSystem } from '../system/system.js'
import { cpuFigures, memoryFigures } from '../system/usage.js'
import type { ConsoleOrder, ConsolesSeen } from './consoles.js'
import { hitBytes, hitOf } from './hit.js'

const kConsolesPerProcess = 250
const kGoalP99Ms = 150

const OPTIONS = {
  consoles: number(500, 'consoles that read', 1),
  rate: number(200, 'hits/s', 1),
  seconds: number(20, 'seconds per round', 1),
  stalled: number(1, 'further consoles of the second round, which stop reading'),
}

export const benchmark = defineBenchmark({
  question: `How long after its intended publish time does each of many consoles have a hit, is any lost, and does a
    console that stops reading disturb the others?`,
  method: `The whole system (platestream up); hits of about 1.2 KB are published to stream HITS from here at a steady
    pace. The consoles are real WebSocket clients in separate processes, ${kConsolesPerProcess} each, which read of each
    message only its sequence and time. The delay counts from the intended publish time of the hit to the client's
    callback, queueing in the client included. In the first round all consoles read; in the second some do not.`,
  options: OPTIONS,
  goals: [`publish to console, p99, in both rounds: at most ${kGoalP99Ms} ms`, 'hits lost or doubled: none'],
  run: (values) =>
    withSystem(async (system) => {
      const before = system.usage()
      const quiet = await runRound(system, values, 0)
      const cpu = cpuFigures(before, system.usage(), values.rate * values.seconds * values.consoles, 'us', 'delivery')
      const disturbed = await runRound(system, values, values.stalled)
      printRound('all reading', quiet, values)
      printRound(`${values.stalled} stalled`, disturbed, values)
      return measuredOf(values, { quiet, disturbed, cpu, usage: system.usage() })
    }),
})

type Chosen = Values<typeof OPTIONS>

interface Round {
  /** By process of consoles. */
  seen: ConsolesSeen[]
  latency: Latency
  /** By how much the publisher fell behind its pace at most, ms. */
  lateMs: number
}

async function runRound(system: BenchSystem, { consoles, rate, seconds }: Chosen, stalled: number): Promise<Round> {
  const url = `${system.gateway.url.replace('http', 'ws')}/ws/hits`
  const children = await Promise.all(
    Array.from({ length: Math.ceil(consoles / kConsolesPerProcess) }, (_, i) => {
      const stalls = i === 0 ? stalled : 0
      const reading = Math.min(kConsolesPerProcess, consoles - i * kConsolesPerProcess)
      return openConsoles({ url, token: system.gateway.token, consoles: reading + stalls, stalled: stalls })
    }),
  )
  await sleep(2_000)
  const js = system.connection.jetstream({ timeout: 30_000 })
  const publishes = new PublishWindow()
  const lateMs = await atPace(rate, rate * seconds, (i, intended) =>
    publishes.add(js.publish(hitsSubject('bench', 'cam-1'), hitOf(i, intended))),
  )
  await publishes.drained()
  const seen = await Promise.all(children.map(reportOf))
  const latency = new Latency()
  for (const { counts } of seen) latency.addAll(counts)
  return { seen, latency, lateMs }
}

async function openConsoles(order: ConsoleOrder): Promise<ChildProcess> {
  const child = fork(new URL('./consoles.js', import.meta.url))
  child.send(order)
  await once(child, 'message')
  return child
}

async function reportOf(child: ChildProcess): Promise<ConsolesSeen> {
  const answer = once(child, 'message')
  child.send('report')
  const [seen] = (await answer) as [ConsolesSeen]
  return seen
}

function printRound(name: string, { seen }: Round, { consoles, rate, seconds }: Chosen): void {
  const hits = rate * seconds
  const wrong = seen.flatMap((one) => one.hits).filter((got) => got !== hits).length
  const sum = (of: 'missing' | 'disordered' | 'closed') => seen.reduce((all, one) => all + one[of], 0)
  console.log(`${name}: ${consoles} consoles, ${hits} hits each; ${wrong} consoles with another number of hits`)
  console.log(`  missing ${sum('missing')}, out of order ${sum('disordered')}, closed ${sum('closed')}`)
}

interface Outcome {
  quiet: Round
  disturbed: Round
  cpu: ReturnType<typeof cpuFigures>
  usage: ReturnType<BenchSystem['usage']>
}

function measuredOf({ consoles, rate, seconds, stalled }: Chosen, { quiet, disturbed, cpu, usage }: Outcome): Measured {
  const hits = rate * seconds
  const lost = [...quiet.seen, ...disturbed.seen]
    .flatMap((one) => one.hits)
    .reduce((sum, got) => sum + Math.abs(hits - got), 0)
  const clientSeconds = quiet.seen.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  const clientCpu = (clientSeconds * 1e6) / (hits * consoles)
  return {
    workload: {
      consoles,
      hitsASecond: rate,
      seconds,
      bytesAHit: hitBytes,
      stalledInSecondRound: stalled,
      deliveries: quiet.latency.count,
    },
    figures: [
      ...quiet.latency.figures('publish to console', { p99: kGoalP99Ms }),
      ...disturbed.latency.figures('the same with one stalled,', { p99: kGoalP99Ms }),
      lower('hits lost or doubled, all consoles', lost, '', 0),
      ...cpu,
      lower('CPU a delivery, clients', clientCpu, 'us'),
      lower('publisher behind its pace, most', Math.max(quiet.lateMs, disturbed.lateMs), 'ms'),
      ...memoryFigures(usage),
    ],
    panels: [
      percentilePanel(
        `publish to console, ${consoles} consoles at ${rate} hits/s`,
        [
          { name: 'all reading', latency: quiet.latency },
          { name: `${stalled} stalled`, latency: disturbed.latency },
        ],
        kGoalP99Ms,
      ),
      {
        kind: 'bars',
        title: 'CPU per delivery',
        unit: 'us',
        bars: [...cpu.map(({ name, value }) => ({ label: name, value })), { label: 'clients', value: clientCpu }],
      },
    ],
  }
}

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Hit, hitsSubject } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import type { ConsoleOrder, ConsolesSeen } from './consoles.js'
import { Latency, percentilePanel } from '../report/latency.js'
import { atPace } from '../system/pace.js'
import type { Measured } from '../report/result.js'
import { cpuFigures, memoryFigures } from '../system/usage.js'
import { startSystem } from '../system/system.js'

export const summary = 'hits to many consoles on WebSockets, with one that stops reading'

/**
 * Question: how long after a hit was meant to be published does each of many consoles have it, is any lost, and does
 * one that stops reading disturb the others?
 *
 * Method: the whole system (`platestream up`); hits of about 1.2 KB are published to stream HITS from here at a steady
 * pace; the consoles are real WebSocket clients in processes of their own, 250 each, that look at each message just
 * enough to tell sequence and time. The delay counts from the time each hit was *meant* to be published to the moment
 * the client's callback has it, clients' queueing included. First all read; then the same with consoles that do not.
 */
export async function run(args: string[]): Promise<Measured> {
  const { values } = parseArgs({
    args,
    options: {
      consoles: { type: 'string', default: '500' },
      rate: { type: 'string', default: '200' },
      seconds: { type: 'string', default: '20' },
      stalled: { type: 'string', default: '1' },
    },
  })
  const [consoles, rate, seconds, stalled] = [
    Number(values.consoles),
    Number(values.rate),
    Number(values.seconds),
    Number(values.stalled),
  ]
  const folder = await mkdtemp(join(tmpdir(), 'platestream-bench-'))
  const system = await startSystem(folder)
  try {
    const before = system.usage()
    const quiet = await round(0)
    const after = system.usage()
    const disturbed = await round(stalled)
    const hits = rate * seconds
    for (const [name, { seen }] of [
      ['all reading', quiet],
      ['one stalled', disturbed],
    ] as const) {
      const wrong = seen.flatMap(({ hits: got }) => got).filter((got) => got !== hits).length
      const sum = (of: 'missing' | 'disordered' | 'closed') => seen.reduce((all, one) => all + one[of], 0)
      console.log(
        `${name}: ${consoles} consoles, ${hits} hits each; ${wrong} consoles without exactly that; missing ${sum('missing')}, out of order ${sum('disordered')}, closed ${sum('closed')}`,
      )
    }
    const lost = [...quiet.seen, ...disturbed.seen].reduce(
      (sum, { hits: got }) => sum + got.reduce((all, one) => all + Math.abs(hits - one), 0),
      0,
    )
    const clientCpu = quiet.seen.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
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
        ...quiet.latency.figures('publish to console', { p99: 150 }),
        ...disturbed.latency.figures('the same with one stalled,', { p99: 150 }),
        { name: 'hits lost or doubled, all consoles', value: lost, unit: '', better: 'lower', goal: 0 },
        ...cpuFigures(before, after, hits * consoles, 'us', 'delivery'),
        { name: 'CPU a delivery, clients', value: (clientCpu * 1e6) / (hits * consoles), unit: 'us', better: 'lower' },
        {
          name: 'publisher behind its pace, most',
          value: Math.max(quiet.lateMs, disturbed.lateMs),
          unit: 'ms',
          better: 'lower',
        },
        ...memoryFigures(system.usage()),
      ],
      panels: [
        percentilePanel(
          `publish to console, ${consoles} consoles at ${rate} hits/s`,
          [
            { name: 'all reading', latency: quiet.latency },
            { name: `${stalled} stalled`, latency: disturbed.latency },
          ],
          150,
        ),
        {
          kind: 'bars',
          title: 'CPU a delivery',
          unit: 'us',
          bars: [
            ...cpuFigures(before, after, hits * consoles, 'us', 'delivery').map(({ name, value }) => ({
              label: name,
              value,
            })),
            { label: 'clients', value: (clientCpu * 1e6) / (hits * consoles) },
          ],
        },
      ],
    }

    async function round(stalledConsoles: number) {
      const children = await Promise.all(
        Array.from({ length: Math.ceil(consoles / 250) }, (_, i) =>
          openConsoles({
            url: `${system.gateway.url.replace('http', 'ws')}/ws/hits`,
            token: system.gateway.token,
            consoles: Math.min(250, consoles - i * 250) + (i === 0 ? stalledConsoles : 0),
            stalled: i === 0 ? stalledConsoles : 0,
          }),
        ),
      )
      await sleep(2_000)
      const js = system.connection.jetstream({ timeout: 30_000 })
      const inFlight = new Set<Promise<unknown>>()
      const lateMs = await atPace(rate, rate * seconds, (i, intended) => {
        const work: Promise<unknown> = js
          .publish(hitsSubject('bench', 'cam-1'), hitOf(i, intended))
          .finally(() => inFlight.delete(work))
        inFlight.add(work)
      })
      await Promise.all(inFlight)
      const seen = await Promise.all(children.map(report))
      const latency = new Latency()
      for (const { counts } of seen) latency.addAll(counts)
      return { seen, latency, lateMs }
    }
  } finally {
    await system.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function openConsoles(order: ConsoleOrder): Promise<ChildProcess> {
  const child = fork(new URL('./consoles.js', import.meta.url))
  child.send(order)
  await once(child, 'message')
  return child
}

async function report(child: ChildProcess): Promise<ConsolesSeen> {
  const answer = once(child, 'message')
  child.send('report')
  const [seen] = (await answer) as [ConsolesSeen]
  return seen
}

/** A hit as engines make them; the time it was meant for stands first, where clients find it without parsing. */
function hitOf(n: number, intended: number): string {
  const at = new Date(intended).toISOString()
  const hit: Hit = {
    publishedAt: at,
    hitId: `${n}.bench.7ABC123`,
    revision: 1,
    state: 'possible',
    readId: String(n),
    plate: '7ABC123',
    confidence: 0.93,
    alternates: ['7A8C123', '7ABC128', '1ABC123', '7ABG123', '7ABC1Z3'].map((plate, i) => ({
      plate,
      confidence: 0.03 / (i + 1),
    })),
    region: 'US-CA',
    listedPlate: '7A8C123',
    list: 'bench',
    listName: 'Bench',
    listVersion: '0123456789abcdef',
    listLoadedAt: at,
    reason: 'stolen vehicle',
    priority: 'high',
    exact: false,
    probability: 0.71,
    tolerated: [{ position: 2, read: 'B', listed: '8', probability: 0.74 }],
    camera: 'cam-1',
    cameraName: 'Main Street northbound at 5th',
    lat: 38.752,
    lon: -121.288,
    heading: 0,
    direction: 'approaching',
    ts: at,
    tsLast: at,
    crop: { segment: '2026-11-23/engine-a.0', offset: 12_345_678 + n, length: 9_000 },
    picture: { segment: '2026-11-23/engine-a.0', offset: 12_354_678 + n, length: 60_000 },
    module: '9a8504b9154e9d54',
    model: '96079e212c7bd23f',
  }
  return JSON.stringify(hit)
}
const hitBytes = hitOf(1, 0).length

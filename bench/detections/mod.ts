import { fork } from 'node:child_process'
import { once } from 'node:events'
import { CameraRegistry, type EngineStatus, saveHotList } from '../../engine/mod.js'
import { defineBenchmark, number, type Values } from '../benchmark.js'
import { Plates, STATE_SHAPES } from '../random/plates.js'
import { higher, lower, type Measured } from '../report/result.js'
import { median, tenths } from '../report/statistics.js'
import { rowsOf } from '../system/ledger.js'
import { type BenchSystem, withSystem } from '../system/system.js'
import { cpuFigures, memoryFigures } from '../system/usage.js'
import { sendAtRate, type Paced } from './at_rate.js'
import type { SendOrder, Sent } from './sender.js'
import { ratesUntilStored } from './stored_rates.js'

const kGoalReadsPerSecond = 40_000
const kWarmUpReads = 20_000

const OPTIONS = {
  reads: number(400_000, 'reads to send flat out', 1),
  batch: number(50, 'reads per message', 1),
  cameras: number(200, 'cameras that send', 1),
  entries: number(1_000_000, 'entries of the hot list'),
  rate: number(0, 'reads/s of the paced part; 0: a share of the flat-out rate'),
  share: number(0.7, 'share of the flat-out rate to offer when --rate is 0'),
  seconds: number(20, 'length of the paced part'),
}

export const benchmark = defineBenchmark({
  question: `How many reads a second from cameras that read plates themselves are validated, matched and stored, and how
    long after its capture does a hit arrive?`,
  method: `The whole system (platestream up) on this machine, the sender in a separate process. First flat out, which
    gives the rate, second by second; then at a share of that rate, with capturedAt = the intended send time of each
    message. A read is done when the ledger in ClickHouse has it. At the end every read that was sent must be in the
    table reads exactly once, or there is no result.`,
  options: OPTIONS,
  goals: [`reads a second, flat out: at least ${kGoalReadsPerSecond}`],
  run: (values) =>
    withSystem(async (system) => {
      const cameras = Array.from({ length: values.cameras }, (_, i) => `cam-${i}`)
      await registerCameras(system, cameras)
      await putHotListInForce(system, values.entries)
      const send = (order: Pick<SendOrder, 'count' | 'perSecond' | 'seed'>) =>
        runSender({ ...order, nats: system.nats, cameras, batch: values.batch })

      // Warm-up: V8 tiers up, tables get their first parts.
      await Promise.all([
        send({ count: kWarmUpReads, perSecond: 0, seed: 1 }),
        ratesUntilStored(system.store, kWarmUpReads),
      ])
      const before = system.usage()
      const start = Date.now()
      const [sent, rates] = await Promise.all([
        send({ count: values.reads, perSecond: 0, seed: 2 }),
        ratesUntilStored(system.store, kWarmUpReads + values.reads),
      ])
      const seconds = (Date.now() - start) / 1_000
      const cpu = cpuFigures(before, system.usage(), values.reads, 'us', 'read')

      const offered = values.rate || Math.round((values.reads / seconds) * values.share)
      const paced = await sendAtRate(system, send, offered, values.seconds, kWarmUpReads + values.reads)
      const storedExactlyOnce = kWarmUpReads + values.reads + paced.count
      await demandStoredOnce(system, storedExactlyOnce)
      return measuredOf(values, { sent, rates, seconds, cpu, offered, paced, storedExactlyOnce, usage: system.usage() })
    }),
})

async function registerCameras(system: BenchSystem, cameras: readonly string[]): Promise<void> {
  const registry = await CameraRegistry.open(system.connection)
  for (const [i, id] of cameras.entries())
    await registry.put({
      id,
      name: id,
      kind: 'fixed',
      lat: 38 + (i % 20) / 100,
      lon: -121 - Math.floor(i / 20) / 100,
      heading: 0,
      agency: 'bench',
    })
}

/** Saves a hot list of random plates and waits until the engine has it in force. */
async function putHotListInForce(system: BenchSystem, entries: number): Promise<void> {
  const random = new Plates(42)
  const plates = [...new Set(Array.from({ length: entries }, () => random.text(random.pick(STATE_SHAPES))))]
  await saveHotList(
    system.connection.jetstream({ timeout: 60_000 }),
    {
      id: 'bench',
      name: 'Bench',
      kind: 'hot',
      priority: 'medium',
      source: 'bench',
      tolerance: 'tolerant',
      threshold: 0.5,
    },
    plates.map((plate) => ({ plate, reason: 'bench' })),
  )
  const status = system.connection.subscribe('status.engine.*')
  for await (const message of status)
    if ((message.json<EngineStatus>().gauges.hot_list_entries ?? 0) >= plates.length) break
  status.unsubscribe()
}

async function runSender(order: SendOrder): Promise<Sent> {
  const child = fork(new URL('./sender.js', import.meta.url))
  child.send(order)
  const [sent] = (await once(child, 'message')) as [Sent]
  return sent
}

/** @throws when a read is missing or is stored twice */
async function demandStoredOnce(system: BenchSystem, sent: number): Promise<void> {
  const [stored] = await rowsOf<{ n: string; ids: string; dead: string }>(
    system.store,
    `SELECT count() AS n, uniqExact(read_id) AS ids,
       (SELECT sum(dead) FROM platestream.ledger FINAL) AS dead
     FROM platestream.reads FINAL`,
  )
  const { n, ids, dead } = stored!
  if (Number(n) !== sent || Number(ids) !== sent)
    throw new Error(`${sent} reads were sent, ${n} are stored, ${ids} of them different, ${dead} dead`)
}

interface Outcome {
  sent: Sent
  rates: number[]
  /** Until all reads of the flat-out part were stored. */
  seconds: number
  cpu: ReturnType<typeof cpuFigures>
  offered: number
  paced: Paced
  storedExactlyOnce: number
  usage: ReturnType<BenchSystem['usage']>
}

function measuredOf(
  { reads, batch, cameras, entries, seconds: pacedSeconds }: Values<typeof OPTIONS>,
  { sent, rates, seconds, cpu, offered, paced, storedExactlyOnce, usage }: Outcome,
): Measured {
  return {
    workload: {
      reads,
      batch,
      cameras,
      entries,
      bytesARead: Math.round(sent.bytes / reads),
      flatOutSentIn: tenths(sent.seconds),
      flatOutStoredIn: tenths(seconds),
      offered,
      seconds: pacedSeconds,
      hits: paced.latency.count,
      storedExactlyOnce,
    },
    figures: [
      { ...higher('reads a second, flat out', reads / seconds, '1/s', kGoalReadsPerSecond), samples: rates },
      ...cpu,
      lower('CPU a read, sender', (sent.cpuSeconds * 1e6) / reads, 'us'),
      lower('sender behind its pace, most', paced.lateMs, 'ms'),
      ...paced.latency.figures('capture to hit'),
      lower('stored behind sent, most', paced.behindMs, 'ms'),
      ...memoryFigures(usage),
    ],
    panels: [
      {
        kind: 'lines',
        title: 'flat out: reads stored, second by second',
        x: { label: 'seconds' },
        y: { label: 'reads/s' },
        goal: kGoalReadsPerSecond,
        lines: [{ name: `median ${Math.round(median(rates))}`, points: rates.map((rate, i) => [i, rate]) }],
      },
      {
        kind: 'bars',
        title: 'CPU per read',
        unit: 'us',
        bars: cpu.map(({ name, value }) => ({ label: name, value })),
      },
      paced.latency.panel(`capture to hit at ${offered} reads/s`),
    ],
  }
}

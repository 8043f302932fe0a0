import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CameraRegistry, type ClickHouseClient, type EngineStatus, type Hit, saveHotList } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import type { SendOrder, Sent } from './sender.js'
import { Plates } from '../random/plates.js'
import { Latency } from '../report/latency.js'
import { median, type Measured } from '../report/result.js'
import { cpuFigures, memoryFigures } from '../system/usage.js'
import { startSystem, type BenchSystem } from '../system/system.js'

export const summary = 'JSON of cameras that read plates themselves to stored reads, matched against a million entries'

const SHAPES = ['9AAA999', '9AAA999', '9AAA999', 'AAA9999', 'AAA999']

/**
 * Question: how many reads a second of cameras that read plates themselves are validated, matched and stored, and how
 * long after its capture does a hit arrive?
 *
 * Method: the whole system (`platestream up`) on this machine, the sender in a process of its own. First flat out,
 * which gives the rate, second by second; then at a share of it with `capturedAt` = the time each message was meant to
 * be sent. A read counts as done when the ledger in ClickHouse has it. In the end every read that was sent must be in
 * `reads` once.
 */
export async function run(args: string[]): Promise<Measured> {
  const { values } = parseArgs({
    args,
    options: {
      reads: { type: 'string', default: '400000' },
      batch: { type: 'string', default: '50' },
      cameras: { type: 'string', default: '200' },
      entries: { type: 'string', default: '1000000' },
      share: { type: 'string', default: '0.7' },
      rate: { type: 'string', default: '0' },
      seconds: { type: 'string', default: '20' },
    },
  })
  const [reads, batch, entries] = [Number(values.reads), Number(values.batch), Number(values.entries)]
  const folder = await mkdtemp(join(tmpdir(), 'platestream-bench-'))
  const system = await startSystem(folder)
  try {
    const cameras = Array.from({ length: Number(values.cameras) }, (_, i) => `cam-${i}`)
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
    await listIn(system, entries)
    const send = (order: Omit<SendOrder, 'nats' | 'cameras' | 'batch'>) =>
      sender({ ...order, nats: system.nats, cameras, batch })

    // Warm up: V8 tiers up, tables get their first parts.
    await Promise.all([send({ count: 20_000, perSecond: 0, seed: 1 }), untilStored(system.store, 20_000)])
    const before = system.usage()
    const begin = Date.now()
    const [sent, rates] = await Promise.all([
      send({ count: reads, perSecond: 0, seed: 2 }),
      untilStored(system.store, 20_000 + reads),
    ])
    const seconds = (Date.now() - begin) / 1_000
    const after = system.usage()

    const offered = Number(values.rate) || Math.round((reads / seconds) * Number(values.share))
    const paced = await atRate(system, send, offered, Number(values.seconds), 20_000 + reads)
    const [stored] = await rowsOf<{ n: string; ids: string; dead: string }>(
      system.store,
      'SELECT count() AS n, uniqExact(read_id) AS ids, (SELECT sum(dead) FROM platestream.ledger FINAL) AS dead FROM platestream.reads FINAL',
    )
    const all = 20_000 + reads + paced.count
    if (Number(stored!.n) !== all || Number(stored!.ids) !== all)
      throw new Error(
        `${all} reads were sent, ${stored!.n} are stored, ${stored!.ids} of them different, ${stored!.dead} dead`,
      )
    return {
      workload: {
        reads,
        batch,
        cameras: cameras.length,
        entries,
        bytesARead: Math.round(sent.bytes / reads),
        flatOutSentIn: Math.round(sent.seconds * 10) / 10,
        flatOutStoredIn: Math.round(seconds * 10) / 10,
        offered,
        seconds: Number(values.seconds),
        hits: paced.latency.count,
        storedExactlyOnce: all,
      },
      figures: [
        {
          name: 'reads a second, flat out',
          value: reads / seconds,
          unit: '1/s',
          better: 'higher',
          goal: 40_000,
          samples: rates,
        },
        ...cpuFigures(before, after, reads, 'us', 'read'),
        { name: 'CPU a read, sender', value: (sent.cpuSeconds * 1e6) / reads, unit: 'us', better: 'lower' },
        { name: 'sender behind its pace, most', value: paced.lateMs, unit: 'ms', better: 'lower' },
        ...paced.latency.figures('capture to hit'),
        { name: 'stored behind sent, most', value: paced.behindMs, unit: 'ms', better: 'lower' },
        ...memoryFigures(system.usage()),
      ],
      panels: [
        {
          kind: 'lines',
          title: 'flat out: reads stored, second by second',
          x: { label: 'seconds' },
          y: { label: 'reads/s' },
          goal: 40_000,
          lines: [{ name: `median ${Math.round(median(rates))}`, points: rates.map((rate, i) => [i, rate]) }],
        },
        {
          kind: 'bars',
          title: 'CPU a read',
          unit: 'us',
          bars: [...cpuFigures(before, after, reads, 'us', 'read')].map(({ name, value }) => ({ label: name, value })),
        },
        paced.latency.panel(`capture to hit at ${offered} reads/s`),
      ],
    }
  } finally {
    await system.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Saves the list and waits until the engine has it in force. */
async function listIn(system: BenchSystem, entries: number): Promise<void> {
  const random = new Plates(42)
  const plates = [...new Set(Array.from({ length: entries }, () => random.text(random.pick(SHAPES))))]
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

async function atRate(
  system: BenchSystem,
  send: (order: { count: number; perSecond: number; seed: number }) => Promise<Sent>,
  offered: number,
  seconds: number,
  storedBefore: number,
) {
  const latency = new Latency()
  const since = Date.now()
  const hits = system.connection.subscribe('hits.>', {
    callback: (_, message) => {
      const { revision, tsLast } = message.json<Hit>()
      if (revision === 1 && Date.parse(tsLast) >= since) latency.add(Date.now() - Date.parse(tsLast))
    },
  })
  const count = offered * seconds
  let sentAt = 0
  const [sent] = await Promise.all([
    send({ count, perSecond: offered, seed: 3 }).then((done) => {
      sentAt = Date.now()
      return done
    }),
    untilStored(system.store, storedBefore + count),
  ])
  const behindMs = Date.now() - sentAt
  hits.unsubscribe()
  return { latency, count, lateMs: sent.lateMs, behindMs }
}

async function sender(order: SendOrder): Promise<Sent> {
  const child = fork(new URL('./sender.js', import.meta.url))
  child.send(order)
  const [sent] = (await once(child, 'message')) as [Sent]
  return sent
}

/** Waits until the ledger has so many; gives the rate of each second until then. */
async function untilStored(store: ClickHouseClient, count: number): Promise<number[]> {
  const rates: number[] = []
  let [last, at, moved] = [await stored(store), performance.now(), performance.now()]
  for (;;) {
    await sleep(1_000)
    const [now, then] = [await stored(store), performance.now()]
    if (now > last) {
      rates.push(((now - last) * 1_000) / (then - at))
      moved = then
    } else if (then - moved > 90_000) throw new Error(`the ledger stays at ${now} of ${count} reads`)
    ;[last, at] = [now, then]
    // The last second was not a whole one.
    if (now >= count) return rates.length > 2 ? rates.slice(0, -1) : rates
  }
}

const stored = async (store: ClickHouseClient): Promise<number> =>
  Number((await rowsOf<{ n: string }>(store, 'SELECT sum(frames_in) AS n FROM platestream.ledger FINAL'))[0]?.n ?? 0)
const rowsOf = async <Row>(store: ClickHouseClient, query: string): Promise<Row[]> =>
  (await store.query({ query, format: 'JSONEachRow' })).json<Row>()

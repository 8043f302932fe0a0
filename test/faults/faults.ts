import { appendFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { framesSubject } from '../../engine/mod.js'
import { until } from '../until.js'
import { poisoned } from './feed.js'
import { streamState } from './outcome.js'
import type { PartName, Rig } from './rig.js'

/** What a fault can use while the frames of its cameras are published. */
export interface FaultRun {
  rig: Rig
  /** Suffix of the names of this run's cameras. */
  suffix: string
  /** 0 to 1. */
  random: () => number
  /** Frames of this run that the stream has acknowledged so far; `total` is how many there will be. */
  published: () => number
  total: number
  /** Records a duration for the result, ms. */
  took(what: string, ms: number): void
}

/** One row of the matrix. */
export interface Fault {
  name: string
  /** What it does, for the result. */
  what: string
  /** Runs while frames are published; everything is repaired when it resolves. */
  disturb(run: FaultRun): Promise<void>
  /** Columns of `reads` that it may change. */
  changing?: string[]
  /** It fills disks of its own, which only root can mount. */
  needsDisks?: boolean
}

/** Waits until this fraction of the frames has been published. */
const reached = ({ published, total }: FaultRun, part: number): Promise<void> =>
  until(() => published() >= total * part, 60_000)

function killing(part: PartName, times: number): Fault['disturb'] {
  return async (run) => {
    for (let n = 0; n < times; n++) {
      await reached(run, Math.min(0.9, (n + run.random()) / (times + 0.5)))
      const pid = run.rig.pid(part)
      run.rig.kill(part)
      await until(() => ![undefined, pid].includes(run.rig.pid(part)), 60_000)
    }
  }
}

/** Applies a condition for about `ms`, from 30 % of the frames on. */
const temporarily =
  (begin: (rig: Rig) => () => void | Promise<void>, ms = 2_500): Fault['disturb'] =>
  async (run) => {
    await reached(run, 0.3)
    const end = begin(run.rig)
    await sleep(ms * (0.75 + run.random() / 2))
    await end()
  }

const onLine =
  (name: 'nats' | 'store' | 'publisher', condition: Parameters<Rig['lines']['nats']['become']>[0]) => (rig: Rig) => {
    rig.lines[name].become(condition)
    return () => rig.lines[name].become({ kind: 'open' })
  }

const SLOW = { kind: 'slow', latencyMs: 40, bytesPerS: 4_000_000 } as const

export const FAULTS: readonly Fault[] = [
  { name: 'engine killed', what: 'kill -9 of the engine, twice, at random moments', disturb: killing('engine-0', 2) },
  {
    name: 'gateway killed',
    what: 'kill -9 of the gateway; its console reconnects with since',
    disturb: killing('gateway-0', 1),
  },
  { name: 'nats-server killed', what: 'kill -9 of nats-server', disturb: killing('nats', 1) },
  { name: 'store killed', what: 'kill -9 of the store', disturb: killing('store', 1) },
  {
    name: 'NATS slow',
    what: 'every packet to and from NATS is delayed by at least 40 ms',
    disturb: temporarily(onLine('nats', SLOW)),
  },
  {
    name: 'NATS cut',
    what: 'all connections to NATS are reset and refused for seconds, including those of the publisher',
    disturb: temporarily((rig) => {
      const ends = [onLine('nats', { kind: 'refused' })(rig), onLine('publisher', { kind: 'refused' })(rig)]
      return () => {
        for (const end of ends) end()
      }
    }),
  },
  {
    name: 'NATS silent',
    what: 'connections to NATS stay open and pass nothing, then they are reset',
    disturb: temporarily((rig) => {
      rig.lines.nats.become({ kind: 'silent' })
      return () => {
        rig.lines.nats.become({ kind: 'open' })
        rig.lines.nats.cut()
      }
    }),
  },
  {
    name: 'store refusing',
    what: 'connections to the store are refused',
    disturb: temporarily(onLine('store', { kind: 'refused' })),
  },
  {
    name: 'store slow',
    what: 'every packet to and from the store is delayed by at least 40 ms',
    disturb: temporarily(onLine('store', SLOW)),
  },
  {
    name: 'disk of the store full',
    what: 'the disk of the store has no free block',
    needsDisks: true,
    disturb: temporarily((rig) => rig.fillDisk(rig.paths.store)),
  },
  {
    name: 'disk of the pictures full',
    what: 'the disk of the pictures has no free block',
    needsDisks: true,
    disturb: temporarily((rig) => rig.fillDisk(rig.paths.crops)),
  },
  {
    name: 'disk of NATS full',
    what: 'the disk of the streams has no free block; JetStream stops and must be restarted',
    needsDisks: true,
    disturb: temporarily((rig) => rig.fillDisk(rig.paths.nats)),
  },
  {
    name: 'clock jumps',
    what: 'the wall clock of engine and gateway jumps one hour ahead, two hours back, then to the correct time',
    async disturb(run) {
      for (const [part, offset] of [
        [0.25, 3_600_000],
        [0.5, -3_600_000],
        [0.75, 0],
      ] as const) {
        await reached(run, part)
        run.rig.setClocks(offset)
      }
    },
  },
  {
    name: 'console stops reading',
    what: 'the console reads nothing for seconds, then continues',
    disturb: temporarily(({ consoles: [console] }) => {
      console!.stopReading()
      return () => console!.resumeReading()
    }),
  },
  {
    name: 'poison frame',
    what: 'a frame that crashes the recognition thread every time; it becomes a dead letter',
    disturb: (run) => poison(run, 'POISON_THREAD'),
  },
  {
    name: 'poison process',
    what: 'a frame that crashes the engine every time; after five crashes it becomes a dead letter',
    async disturb(run) {
      await poison(run, 'POISON_PROCESS')
      await until(
        async () =>
          (await streamState(run.rig.connection, 'DEAD')).messages > 0 &&
          run.rig.pid('engine-0') !== undefined &&
          (await run.rig.stored(run.suffix)) >= run.total + 1,
        180_000,
      )
    },
  },
  {
    name: 'hot list swapped',
    what: 'five new versions of the hot list while frames arrive',
    changing: ['lists'],
    async disturb(run) {
      for (let n = 1; n <= 5; n++) {
        await reached(run, n / 6)
        await run.rig.saveHotList(` ${run.suffix} ${n}`)
      }
      // Reads record the version of the lists. Restore it, so that the next fault compares with the reference run.
      await run.rig.saveHotList()
    },
  },
  {
    name: 'partitions changed',
    what: 'an operator changes the number of partitions, and seconds later the mapping of the server',
    async disturb(run) {
      await reached(run, 0.2)
      await run.rig.changePartitions(500 + 2_000 * run.random())
    },
  },
  {
    name: 'stranger sends',
    what: 'a camera that nobody registered sends 2,000 messages, more than are kept of one camera',
    async disturb({ rig, suffix }) {
      const js = rig.connection.jetstream()
      const send = (n: number) => js.publish(framesSubject(`stranger${suffix}-x`), `${n}`, { timeout: 10_000 })
      for (let n = 0; n < 2_000; n += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => send(n + i)))
    },
  },
  {
    name: 'cut off mid-write',
    what:
      'everything is killed at once and restarted; every append-only file ends in half a record, ' +
      'and the store has a half-written part',
    async disturb(run) {
      await reached(run, 0.3 + run.random() * 0.4)
      await run.rig.killAll()
      tearFiles(run.rig)
      await run.rig.startAll()
    },
  },
]

/** For two engines and two gateways. */
export const SCALE_FAULTS: readonly Fault[] = [
  {
    name: 'one engine of two dies',
    what: 'kill -9 of an engine that stays down: the other takes over its cameras; later it returns and gets its share',
    async disturb(run) {
      const { rig } = run
      const heldBy = (name: string) => rig.engineStatus.get(name)?.partitions.length ?? 0
      const all = () => rig.engineStatus.get('engine-0')?.allPartitions.length ?? 0
      await until(() => all() > 0, 60_000)
      const half = all() / 2
      await until(() => heldBy('engine-0') === half && heldBy('engine-1') === half, 60_000)
      await reached(run, 0.3)
      const died = performance.now()
      await rig.killAndKeepDown('engine-1')
      await until(() => heldBy('engine-0') === half * 2, 60_000)
      run.took('cameras taken over', performance.now() - died)
      await rig.restart('engine-1')
      await until(() => heldBy('engine-0') === half && heldBy('engine-1') === half, 60_000)
    },
  },
  {
    name: 'one gateway of two dies',
    what: 'kill -9 of a gateway: its console reconnects, the other console is not affected',
    disturb: killing('gateway-1', 1),
  },
]

/** For three NATS servers. */
export const CLUSTER_FAULTS: readonly Fault[] = [
  {
    name: 'each server of three dies',
    what: 'kill -9 of each NATS server in run, each restarted before the next',
    async disturb(run) {
      for (const [n, part] of (['nats-0', 'nats-1', 'nats-2'] as const).entries()) {
        await reached(run, 0.15 + n * 0.25)
        await run.rig.killAndKeepDown(part)
        await sleep(3_000)
        await run.rig.restart(part)
        await run.rig.untilReplicated()
      }
    },
  },
]

async function poison(run: FaultRun, mark: 'POISON_THREAD' | 'POISON_PROCESS'): Promise<void> {
  await reached(run, 0.4)
  const { rig, suffix } = run
  const [frame] = rig.options.feed.frames
  await rig.oracle.publish(
    { ...frame!, name: mark, jpeg: poisoned(frame!.jpeg, mark) },
    `${frame!.camera}${suffix}`,
    'dead',
  )
}

/**
 * Leaves what an interrupted write leaves: half a record in JetStream's newest blocks and in segments of pictures, a
 * temporary part in a table.
 */
function tearFiles({ paths }: Rig): void {
  const files = (folder: string, name: RegExp) =>
    (readdirSync(folder, { recursive: true }) as string[])
      .filter((file) => name.test(file))
      .map((file) => join(folder, file))
  const newest = new Map<string, string>()
  for (const file of files(paths.nats, /msgs\/\d+\.blk$/)) {
    const folder = join(file, '..')
    const before = newest.get(folder)
    if (!before || numberOf(file) > numberOf(before)) newest.set(folder, file)
  }
  // A record of a block: length, sequence, time, length of the subject, subject, message, hash. This one is cut off in
  // its subject.
  const record = Buffer.alloc(30)
  record.writeUInt32LE(25_000, 0)
  record.write('frames.0', 22)
  for (const file of newest.values()) if (statSync(file).size > 0) appendFileSync(file, record)
  for (const file of files(paths.crops, /\.crops$/))
    appendFileSync(file, Buffer.from('PSC1\xff\x00\x00\x00\x01', 'latin1'))
  const tables = files(paths.store, /(^|\/)format_version\.txt$/)
  for (const file of tables.slice(0, 3)) {
    const part = join(file, '..', 'tmp_insert_20260511_999999_999999_0')
    mkdirSync(part, { recursive: true })
    writeFileSync(join(part, 'data.bin'), 'half')
  }
}

const numberOf = (block: string): number => Number(/(\d+)\.blk$/.exec(block)?.[1])

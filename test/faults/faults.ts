import { appendFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../until.js'
import { poisoned } from './feed.js'
import { streamState } from './outcome.js'
import type { PartName, Rig } from './rig.js'

/** What a fault may do while the frames of its cameras are published. */
export interface Turn {
  rig: Rig
  /** Ends the names of the cameras of this turn. */
  suffix: string
  /** 0 to 1. */
  random: () => number
  /** Frames of this turn that the stream acknowledged so far, and how many there will be. */
  published: () => number
  total: number
  /** A figure for the table, ms. */
  took(what: string, ms: number): void
}

/** One row of the matrix. */
export interface Fault {
  name: string
  /** What is done, for the table. */
  what: string
  /** While the frames come; when it resolves, everything is as it should be again. */
  disturb(turn: Turn): Promise<void>
  /** Columns of `reads` that it changes rightly. */
  changing?: string[]
  /** It needs disks of its own to fill, and so root. */
  needsDisks?: boolean
}

/** Waits until this part of the frames has been published. */
const at = ({ published, total }: Turn, part: number): Promise<void> => until(() => published() >= total * part, 60_000)

function killing(part: PartName, times: number): Fault['disturb'] {
  return async (turn) => {
    for (let n = 0; n < times; n++) {
      await at(turn, Math.min(0.9, (n + turn.random()) / (times + 0.5)))
      const pid = turn.rig.pid(part)
      turn.rig.kill(part)
      await until(() => ![undefined, pid].includes(turn.rig.pid(part)), 60_000)
    }
  }
}

/** Something is bad from a third to two thirds of the frames, and for `ms` at least. */
const spell =
  (begin: (rig: Rig) => () => void | Promise<void>, ms = 2_500): Fault['disturb'] =>
  async (turn) => {
    await at(turn, 0.3)
    const end = begin(turn.rig)
    await sleep(ms * (0.75 + turn.random() / 2))
    await end()
  }

const onLine =
  (name: 'nats' | 'store' | 'publisher', line: Parameters<Rig['lines']['nats']['become']>[0]) => (rig: Rig) => {
    rig.lines[name].become(line)
    return () => rig.lines[name].become({ kind: 'open' })
  }

const SLOW = { kind: 'slow', latencyMs: 40, bytesPerS: 4_000_000 } as const

export const FAULTS: readonly Fault[] = [
  { name: 'engine killed', what: 'kill -9 of the engine, twice, whenever it comes', disturb: killing('engine-0', 2) },
  {
    name: 'gateway killed',
    what: 'kill -9 of the gateway; its console comes back with since',
    disturb: killing('gateway-0', 1),
  },
  { name: 'nats-server killed', what: 'kill -9 of nats-server', disturb: killing('nats', 1) },
  { name: 'store killed', what: 'kill -9 of the store', disturb: killing('store', 1) },
  {
    name: 'NATS slow',
    what: 'every piece of data to and from NATS takes 40 ms and more',
    disturb: spell(onLine('nats', SLOW)),
  },
  {
    name: 'NATS cut',
    what: "all connections to NATS reset, refused for seconds, then restored; the publisher's too",
    disturb: spell((rig) => {
      const ends = [onLine('nats', { kind: 'refused' })(rig), onLine('publisher', { kind: 'refused' })(rig)]
      return () => {
        for (const end of ends) end()
      }
    }),
  },
  {
    name: 'NATS silent',
    what: 'connections stand and nothing gets through, then they are reset',
    disturb: spell((rig) => {
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
    disturb: spell(onLine('store', { kind: 'refused' })),
  },
  {
    name: 'store slow',
    what: 'every piece of data to and from the store takes 40 ms and more',
    disturb: spell(onLine('store', SLOW)),
  },
  {
    name: 'disk of the store full',
    what: 'not a block is left for the store',
    needsDisks: true,
    disturb: spell((rig) => rig.fillDisk(rig.paths.store)),
  },
  {
    name: 'disk of the pictures full',
    what: 'not a block is left for the pictures',
    needsDisks: true,
    disturb: spell((rig) => rig.fillDisk(rig.paths.crops)),
  },
  {
    name: 'disk of NATS full',
    what: 'not a block is left for the streams; JetStream stops and has to be started again',
    needsDisks: true,
    disturb: spell((rig) => rig.fillDisk(rig.paths.nats)),
  },
  {
    name: 'clock jumps',
    what: 'the wall clock of engine and gateway jumps an hour ahead, then two hours back, then to the right time',
    async disturb(turn) {
      for (const [part, offset] of [
        [0.25, 3_600_000],
        [0.5, -3_600_000],
        [0.75, 0],
      ] as const) {
        await at(turn, part)
        turn.rig.setClocks(offset)
      }
    },
  },
  {
    name: 'console stops reading',
    what: 'the console reads nothing for seconds and then goes on',
    disturb: spell(({ consoles: [console] }) => {
      console!.stopReading()
      return () => console!.readAgain()
    }),
  },
  {
    name: 'poison frame',
    what: 'a frame that ends the recognition thread, each time; it goes to DEAD',
    disturb: (turn) => poison(turn, 'POISON_THREAD'),
  },
  {
    name: 'poison process',
    what: 'a frame that ends the whole engine, each time; after five ends it goes to DEAD',
    async disturb(turn) {
      await poison(turn, 'POISON_PROCESS')
      await until(
        async () =>
          (await streamState(turn.rig.connection, 'DEAD')).messages > 0 &&
          turn.rig.pid('engine-0') !== undefined &&
          (await turn.rig.stored(turn.suffix)) >= turn.total + 1,
        180_000,
      )
    },
  },
  {
    name: 'hot list swapped',
    what: 'five new versions of the hot list while frames come',
    changing: ['lists'],
    async disturb(turn) {
      for (let n = 1; n <= 5; n++) {
        await at(turn, n / 6)
        await turn.rig.saveList(` ${turn.suffix} ${n}`)
      }
      // Each read tells the version of the lists: the next fault's are compared with those of before.
      await turn.rig.saveList()
    },
  },
  {
    name: 'cut off mid-write',
    what: 'everything killed at once; half a record at the end of every file that is appended to, and a half-made part in the store; then started again',
    async disturb(turn) {
      await at(turn, 0.3 + turn.random() * 0.4)
      await turn.rig.killAll()
      tearFiles(turn.rig)
      await turn.rig.startAll()
    },
  },
]

/** For two engines and two gateways. */
export const SCALE_FAULTS: readonly Fault[] = [
  {
    name: 'one engine of two dies',
    what: 'kill -9 of an engine that stays away: the other takes its cameras over; then it comes back and gets its share',
    async disturb(turn) {
      const { rig } = turn
      const heldBy = (name: string) => rig.engineStatus.get(name)?.partitions.length ?? 0
      await until(() => heldBy('engine-0') === 2 && heldBy('engine-1') === 2, 60_000)
      await at(turn, 0.3)
      const died = performance.now()
      await rig.killForGood('engine-1')
      await until(() => heldBy('engine-0') === 4, 60_000)
      turn.took('cameras taken over', performance.now() - died)
      await rig.startAgain('engine-1')
      await until(() => heldBy('engine-0') === 2 && heldBy('engine-1') === 2, 60_000)
    },
  },
  {
    name: 'one gateway of two dies',
    what: 'kill -9 of a gateway: its console comes back, the other notices nothing',
    disturb: killing('gateway-1', 1),
  },
]

/** For three servers of NATS. */
export const CLUSTER_FAULTS: readonly Fault[] = [
  {
    name: 'each server of three dies',
    what: 'kill -9 of one NATS server after the other, each back before the next',
    async disturb(turn) {
      for (const [n, part] of (['nats-0', 'nats-1', 'nats-2'] as const).entries()) {
        await at(turn, 0.15 + n * 0.25)
        await turn.rig.killForGood(part)
        await sleep(3_000)
        await turn.rig.startAgain(part)
        await turn.rig.untilCopied()
      }
    },
  },
]

async function poison(turn: Turn, mark: 'POISON_THREAD' | 'POISON_PROCESS'): Promise<void> {
  await at(turn, 0.4)
  const { rig, suffix } = turn
  const [frame] = rig.options.feed.frames
  await rig.oracle.publish(
    { ...frame!, name: mark, jpeg: poisoned(frame!.jpeg, mark) },
    `${frame!.camera}${suffix}`,
    'dead',
  )
}

/**
 * What a write leaves that was cut off: JetStream's newest blocks, segments of pictures, a temporary part of a table.
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
  // A record of a block: length, sequence, time, length of the subject, subject, message, hash. This one ends in its
  // subject.
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

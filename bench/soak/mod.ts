import { inspectFeed, replay, type ReplaySummary } from '../../engine/feeds/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { defineBenchmark, number, text } from '../benchmark.js'
import { higher, lower, type Figure, type Measured } from '../report/result.js'
import type { LinePanel } from '../report/plot.js'
import { showProgress } from '../report/table.js'
import { rowsOf } from '../system/ledger.js'
import { type BenchSystem, withSystem } from '../system/system.js'
import { driftOf, type Sample } from './drift.js'
import { demandComplete, ledgerByCamera, type LedgerRow } from './ledger_check.js'

/** How much a part may grow from the first settled tenth of the run to the last, MiB and files. */
const kMemoryGoal = 64
const kFilesGoal = 12
/** Frames that wait on the stream, bytes: at this limit the replay waits for the engine instead of filling the disk. */
const kWaitingBytes = 268_435_456
/** The ledger must grow within this, ms. */
const kStuckMs = 300_000

export const benchmark = defineBenchmark({
  question: `After a million frames (a day of event time), are memory and open files where they were, and is every frame
    in the ledger?`,
  method: `The whole system (platestream up) on a new folder. replay plays the feed at full speed until the frames are
    sent; each round follows the previous one in event time. Resident memory and open files of each part are sampled
    every few seconds. At the end, for each camera: frames published = frames in the ledger = with reads + without a
    plate + dead, or there is no result. The first tenth of the samples is warm-up and is left out; growth is the mean
    of the last tenth minus the mean of the tenth after the warm-up.`,
  options: {
    feed: text('FILE', 'bench/feeds/sample.mcap', 'feed to replay'),
    frames: number(1_000_000, 'frames to send at least', 1),
    every: number(5, 'seconds between samples', 0.1),
  },
  goals: [
    'frames in the ledger, of those published: all',
    `growth of memory, each part: at most ${kMemoryGoal} MiB`,
    `growth of open files, each part: at most ${kFilesGoal}`,
  ],
  async run({ feed, frames, every }) {
    const info = await inspectFeed(feed)
    const loops = Math.max(1, Math.ceil(frames / info.total))
    process.env.PLATESTREAM_NATS_FRAMES_MAX_BYTES = String(kWaitingBytes)
    return withSystem(async (system) => {
      const { summary, samples } = await play(system, feed, loops, every * 1_000)
      const ledger = await ledgerByCamera(system.store)
      demandComplete(ledger, new Map([...info.frames].map(([camera, sent]) => [camera, sent * loops])))
      const [reads] = await rowsOf<{ n: string }>(system.store, 'SELECT count() AS n FROM platestream.reads FINAL')
      return measuredOf({ feed, loops, summary, samples, ledger, reads: Number(reads!.n) })
    })
  },
})

/** Replays the feed and samples until the ledger has every frame. @throws when the ledger does not grow */
async function play(
  system: BenchSystem,
  feed: string,
  loops: number,
  everyMs: number,
): Promise<{ summary: ReplaySummary; samples: Sample[] }> {
  const started = performance.now()
  const samples: Sample[] = []
  let published = 0
  const sample = async () => {
    const stored = (await ledgerByCamera(system.store)).reduce((sum, { frames }) => sum + frames, 0)
    const now: Sample = { seconds: (performance.now() - started) / 1_000, stored, parts: system.usage() }
    samples.push(now)
    const rate = Math.round(stored / now.seconds)
    showProgress(`published ${published}, stored ${stored}, ${rate}/s, engine ${now.parts.engine?.memory ?? 0} MiB`)
    return stored
  }
  let over = false
  const playing = replay(system.connection, {
    files: [feed],
    speed: Infinity,
    loops,
    shiftTime: 'now',
    register: true,
    onProgress: ({ sent }) => {
      published = sent
    },
  }).finally(() => {
    over = true
  })
  while (!over) {
    await sample()
    await Promise.race([sleep(everyMs), playing])
  }
  const summary = await playing
  for (let last = -1, grewAt = performance.now(); ; ) {
    const stored = await sample()
    if (stored >= summary.frames) return { summary, samples }
    if (stored !== last) [last, grewAt] = [stored, performance.now()]
    if (performance.now() - grewAt > kStuckMs)
      throw new Error(`the ledger stays at ${stored} of ${summary.frames} frames`)
    await sleep(Math.min(everyMs, 1_000))
  }
}

interface Outcome {
  feed: string
  loops: number
  summary: ReplaySummary
  samples: Sample[]
  ledger: LedgerRow[]
  reads: number
}

function measuredOf({ feed, loops, summary, samples, ledger, reads }: Outcome): Measured {
  const parts = ['engine', 'gateway', 'nats-server', 'store'].filter((part) =>
    samples.some((sample) => sample.parts[part]),
  )
  const sum = (of: (row: LedgerRow) => number) => ledger.reduce((total, row) => total + of(row), 0)
  return {
    workload: { feed, loops, frames: summary.frames, cameras: summary.cameras, samples: samples.length },
    figures: [
      higher('frames in the ledger, of those published', sum(({ frames }) => frames) / summary.frames, 'part', 1),
      higher(
        'with reads',
        sum(({ withReads }) => withReads),
        'frames',
      ),
      lower(
        'without a plate',
        sum(({ withoutPlate }) => withoutPlate),
        'frames',
      ),
      lower(
        'dead',
        sum(({ dead }) => dead),
        'frames',
      ),
      higher('reads a round of the feed', reads / loops, 'reads'),
      higher('frames a second', summary.frames / samples.at(-1)!.seconds, '1/s'),
      ...parts.flatMap((part) => growthOf(samples, part)),
    ],
    panels: [
      panelByPart('memory', 'MiB', samples, parts),
      panelByPart('files', 'files', samples, parts),
      {
        kind: 'lines',
        title: 'frames stored',
        x: { label: 'seconds' },
        y: { label: 'frames' },
        lines: [{ name: 'stored', points: samples.map(({ seconds, stored }) => [seconds, stored]) }],
      },
    ],
    raw: { ledger, samples },
  }
}

function growthOf(samples: readonly Sample[], part: string): Figure[] {
  const [memory, files] = [driftOf(samples, part, 'memory'), driftOf(samples, part, 'files')]
  return [
    lower(`memory, ${part}, after warm-up`, memory.first, 'MiB'),
    lower(`memory, ${part}, growth`, memory.last - memory.first, 'MiB', kMemoryGoal),
    lower(`open files, ${part}, growth`, files.last - files.first, 'files', kFilesGoal),
  ]
}

const panelByPart = (
  of: 'memory' | 'files',
  unit: string,
  samples: readonly Sample[],
  parts: readonly string[],
): LinePanel => ({
  kind: 'lines',
  title: of === 'memory' ? 'memory' : 'open files',
  x: { label: 'frames stored' },
  y: { label: unit },
  lines: parts.map((part) => ({
    name: part,
    points: samples.map(({ stored, parts: all }) => [stored, all[part]?.[of] ?? 0]),
  })),
})

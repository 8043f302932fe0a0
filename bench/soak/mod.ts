import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inspectFeed, replay, type ReplaySummary } from '../../engine/feeds/mod.js'
import type { ClickHouseClient } from '../../engine/mod.js'
import { AlprError, sleep } from '../../engine/runtime/mod.js'
import type { Figure, Measured } from '../report/result.js'
import { driftOf, type Sample } from './drift.js'
import { startSystem, type BenchSystem } from '../system/system.js'

export const summary =
  'a feed replayed over and over at full speed: whether memory and open files stay flat and the ledger adds up'

/** So much may a part have grown from the first settled tenth of the run to the last, MiB and files. */
const kMemoryGoal = 64
const kFilesGoal = 12
/** Frames that wait on the stream, bytes: the replay waits for the engine then, instead of filling the disk. */
const kWaitingBytes = 268_435_456
/** The ledger must move within this, ms. */
const kStuckMs = 300_000

/**
 * Question: after a million frames (a day of event time), is memory where it was, are open files where they were, and
 * is every frame in the ledger?
 *
 * Method: the whole system (`platestream up`) on a new folder. `replay` plays the feed at full speed, as often as it
 * takes; each round follows the one before in event time. Resident memory and open files of each part are noted every
 * few seconds. In the end, for each camera: frames published = frames in the ledger = with reads + without a plate +
 * dead, or there is no result. The first tenth of the samples is warm-up and counts for nothing; growth is the mean of
 * the last tenth less that of the tenth after the warm-up.
 */
export async function run(args: string[]): Promise<Measured> {
  const { values } = parseArgs({
    args,
    options: {
      feed: { type: 'string', default: 'bench/feeds/sample.mcap' },
      frames: { type: 'string', default: '1000000' },
      every: { type: 'string', default: '5' },
    },
  })
  const [wanted, everyMs] = [Number(values.frames), Number(values.every) * 1_000]
  if (!(wanted >= 1 && everyMs >= 100))
    throw new AlprError('ALPR_ERR_USAGE', { reason: '--frames must be 1 or more, --every at least 0.1 (seconds)' })
  const info = await inspectFeed(values.feed!)
  const loops = Math.max(1, Math.ceil(wanted / info.total))
  const folder = await mkdtemp(join(tmpdir(), 'platestream-soak-'))
  process.env.PLATESTREAM_NATS_FRAMES_MAX_BYTES = String(kWaitingBytes)
  const system = await startSystem(folder)
  try {
    const { summary: played, samples } = await play(system, values.feed!, loops, everyMs)
    const ledger = await ledgerOf(system.store)
    demand(ledger, new Map([...info.frames].map(([camera, frames]) => [camera, frames * loops])))
    return measured({ feed: values.feed!, played, samples, ledger, loops, reads: await readsOf(system.store) })
  } finally {
    await system.close()
    await rm(folder, { recursive: true, force: true })
  }
}

async function play(
  system: BenchSystem,
  feed: string,
  loops: number,
  everyMs: number,
): Promise<{ summary: ReplaySummary; samples: Sample[] }> {
  const started = performance.now()
  const samples: Sample[] = []
  let published = 0
  const look = async () => {
    const stored = (await ledgerOf(system.store)).reduce((sum, { frames }) => sum + frames, 0)
    samples.push({ seconds: (performance.now() - started) / 1_000, stored, parts: system.usage() })
    process.stderr.write(
      `${process.stderr.isTTY ? '\r\x1b[K' : ''}published ${published}, stored ${stored}, ${Math.round(stored / samples.at(-1)!.seconds)}/s, engine ${samples.at(-1)!.parts.engine?.memory ?? 0} MiB${process.stderr.isTTY ? '' : '\n'}`,
    )
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
    await look()
    await Promise.race([sleep(everyMs), playing])
  }
  const summary = await playing
  for (let last = -1, moved = performance.now(); ; ) {
    const stored = await look()
    if (stored >= summary.frames) return { summary, samples }
    if (stored !== last) [last, moved] = [stored, performance.now()]
    if (performance.now() - moved > kStuckMs)
      throw new Error(`the ledger stays at ${stored} of ${summary.frames} frames`)
    await sleep(Math.min(everyMs, 1_000))
  }
}

interface LedgerRow {
  camera: string
  frames: number
  withReads: number
  withoutPlate: number
  dead: number
}

async function ledgerOf(store: ClickHouseClient): Promise<LedgerRow[]> {
  const result = await store.query({
    query:
      'SELECT camera, sum(frames_in) AS f, sum(with_reads) AS r, sum(without_plate) AS w, sum(dead) AS d FROM platestream.ledger FINAL GROUP BY camera ORDER BY camera',
    format: 'JSONEachRow',
  })
  return (await result.json<Record<'camera' | 'f' | 'r' | 'w' | 'd', string>>()).map(({ camera, f, r, w, d }) => ({
    camera,
    frames: Number(f),
    withReads: Number(r),
    withoutPlate: Number(w),
    dead: Number(d),
  }))
}

async function readsOf(store: ClickHouseClient): Promise<number> {
  return Number(
    (
      await (
        await store.query({ query: 'SELECT count() AS n FROM platestream.reads FINAL', format: 'JSONEachRow' })
      ).json<{ n: string }>()
    )[0]!.n,
  )
}

/** @throws when a frame is missing, there twice, or in no column */
export function demand(ledger: readonly LedgerRow[], published: ReadonlyMap<string, number>): void {
  const wrong = [...published].flatMap(([camera, frames]) => {
    const row = ledger.find((one) => one.camera === camera)
    if (row?.frames !== frames) return [`${camera}: ${frames} published, ${row?.frames ?? 0} in the ledger`]
    const parts = row.withReads + row.withoutPlate + row.dead
    return parts === frames
      ? []
      : [
          `${camera}: ${frames} frames, but ${row.withReads} with reads + ${row.withoutPlate} without a plate + ${row.dead} dead = ${parts}`,
        ]
  })
  for (const { camera } of ledger) if (!published.has(camera)) wrong.push(`${camera}: nobody published for it`)
  if (wrong.length > 0) throw new Error(`the ledger does not add up: ${wrong.join('; ')}`)
}

function measured({
  feed,
  played,
  samples,
  ledger,
  loops,
  reads,
}: {
  feed: string
  played: ReplaySummary
  samples: Sample[]
  ledger: LedgerRow[]
  loops: number
  reads: number
}): Measured {
  const parts = ['engine', 'gateway', 'nats-server', 'store'].filter((part) =>
    samples.some((sample) => sample.parts[part]),
  )
  const sum = (of: (row: LedgerRow) => number) => ledger.reduce((total, row) => total + of(row), 0)
  const seconds = samples.at(-1)!.seconds
  const lines = (of: 'memory' | 'files') =>
    parts.map((part) => ({
      name: part,
      points: samples.map(({ stored, parts: all }): [number, number] => [stored, all[part]?.[of] ?? 0]),
    }))
  const grown: Figure[] = parts.flatMap((part) => {
    const [memory, files] = [driftOf(samples, part, 'memory'), driftOf(samples, part, 'files')]
    return [
      { name: `memory, ${part}, after warm-up`, value: memory.first, unit: 'MiB', better: 'lower' as const },
      {
        name: `memory, ${part}, growth`,
        value: memory.last - memory.first,
        unit: 'MiB',
        better: 'lower' as const,
        goal: kMemoryGoal,
      },
      {
        name: `open files, ${part}, growth`,
        value: files.last - files.first,
        unit: 'files',
        better: 'lower' as const,
        goal: kFilesGoal,
      },
    ]
  })
  return {
    workload: { feed, loops, frames: played.frames, cameras: played.cameras, samples: samples.length },
    figures: [
      {
        name: 'frames in the ledger, of those published',
        value: sum((row) => row.frames) / played.frames,
        unit: 'part',
        better: 'higher',
        goal: 1,
      },
      { name: 'with reads', value: sum((row) => row.withReads), unit: 'frames', better: 'higher' },
      { name: 'without a plate', value: sum((row) => row.withoutPlate), unit: 'frames', better: 'lower' },
      { name: 'dead', value: sum((row) => row.dead), unit: 'frames', better: 'lower' },
      { name: 'reads a round of the feed', value: reads / loops, unit: 'reads', better: 'higher' },
      { name: 'frames a second', value: played.frames / seconds, unit: '1/s', better: 'higher' },
      ...grown,
    ],
    panels: [
      { kind: 'lines', title: 'memory', x: { label: 'frames stored' }, y: { label: 'MiB' }, lines: lines('memory') },
      {
        kind: 'lines',
        title: 'open files',
        x: { label: 'frames stored' },
        y: { label: 'files' },
        lines: lines('files'),
      },
      {
        kind: 'lines',
        title: 'frames stored',
        x: { label: 'seconds' },
        y: { label: 'frames' },
        lines: [{ name: 'stored', points: samples.map(({ seconds: at, stored }) => [at, stored]) }],
      },
    ],
    raw: { ledger, samples },
  }
}

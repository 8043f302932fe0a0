import { setTimeout as sleep } from 'node:timers/promises'
import { clusterProgram } from '../servers/cluster_program.js'
import { until } from '../until.js'
import { FAULTS, type Fault } from './faults.js'
import { loadFeed } from './feed.js'
import { judge } from './judge.js'
import { outcomeOf, streamState, type Outcome } from './outcome.js'
import { Rig, type PartName, type RigOptions } from './rig.js'
import { Scope } from './scope.js'

export interface MatrixOptions {
  /** Names of the faults to run. @default all */
  only?: string[]
  /** Times that each fault is caused. @default 1 */
  rounds?: number
  seed: number
  /** @default FAULTS, for one of each part */
  faults?: readonly Fault[]
  /** Number of each part. */
  parts?: Pick<RigOptions, 'engines' | 'gateways' | 'cluster'>
  /** Length of the recording that each fault publishes, seconds of event time. @default 6 */
  seconds?: number
  /** Pause between two frames, ms. @default 35 */
  pauseMs?: number
  /** No fault starts after this time of the monotonic clock, ms. */
  until?: number
  onLog?: (part: string, line: string) => void
  onResult?: (result: Result) => void
}

/** Result of one fault. */
export interface Result {
  fault: string
  what: string
  /** Errors as sentences; empty when the promise held. */
  wrong: string[]
  /** Why it cannot run on this machine. */
  skipped?: string
  frames: number
  reads: number
  hits: number
  /** From the end of the fault until a new frame was stored, ms. */
  recoveryMs: number
  /** Resident memory of engines and gateways afterwards, bytes. */
  memory: Record<string, number>
  /** Other durations, ms. */
  took: Record<string, number>
  /** Wall time of the whole fault, ms. */
  ms: number
}

/** A process may use this much more memory than after the run without faults, bytes: garbage not yet collected. */
const MEMORY_SLACK = 96 * 1_048_576
/** A process may have this many more files open. */
const FILES_SLACK = 12
/** How long a wrong outcome is checked again, ms. */
const SETTLE_MS = 5_000
/** A frame published after the fault must be stored within this time, ms. */
const FRESH_MS = 30_000

/**
 * Causes one fault after the other in one running system. First the same frames pass without a fault, as the reference.
 */
export async function runMatrix(options: MatrixOptions): Promise<Result[]> {
  const cluster = options.parts?.cluster ? clusterProgram() : undefined
  if (cluster && 'missing' in cluster) {
    const chosen = (options.faults ?? FAULTS).filter(({ name }) => !options.only || options.only.includes(name))
    return chosen.map((fault) => {
      const result = skippedResult(fault, cluster.missing)
      options.onResult?.(result)
      return result
    })
  }
  const scope = new Scope()
  const random = randomFrom(options.seed)
  try {
    const feed = await loadFeed(options.seconds ?? 6)
    const rig = await Rig.start(scope, { feed, onLog: options.onLog, ...options.parts })
    const nothing: Fault = {
      name: 'nothing',
      what: 'the same frames without a fault: the reference',
      disturb: async () => {},
    }
    const results: Result[] = []
    let reference: Outcome | undefined
    let levels: Levels | undefined
    const run = async (fault: Fault, suffix: string) => {
      const ran = await runFault(rig, fault, suffix, options.pauseMs ?? 35, random, reference, levels)
      reference ??= ran.outcome
      levels ??= ran.levels
      results.push(ran.result)
      options.onResult?.(ran.result)
    }
    await run(nothing, '-f0')
    for (let round = 0; round < (options.rounds ?? 1); round++) {
      for (const [n, fault] of (options.faults ?? FAULTS).entries()) {
        if (options.only && !options.only.includes(fault.name)) continue
        if (performance.now() >= (options.until ?? Infinity)) return results
        if (fault.needsDisks && !rig.hasDisks) {
          results.push(skippedResult(fault, 'this user cannot mount a small disk'))
          continue
        }
        await run(fault, `-f${n + 1}r${round}`)
      }
    }
    return results
  } finally {
    await scope.end()
  }
}

const skippedResult = ({ name, what }: Fault, skipped: string): Result => ({
  fault: name,
  what,
  wrong: [],
  skipped,
  frames: 0,
  reads: 0,
  hits: 0,
  recoveryMs: 0,
  memory: {},
  took: {},
  ms: 0,
})

type Levels = Record<string, { bytes: number; files: number }>

async function runFault(
  rig: Rig,
  fault: Fault,
  suffix: string,
  pauseMs: number,
  random: () => number,
  reference: Outcome | undefined,
  levels: Levels | undefined,
): Promise<{ result: Result; outcome: Outcome; levels: Levels }> {
  const { feed } = rig.options
  const began = performance.now()
  const wrong: string[] = []
  await rig.addCameras(suffix)
  const took: Record<string, number> = {}
  let published = 0
  const publishing = (async () => {
    for (const frame of feed.frames) {
      await rig.oracle.publish(frame, `${frame.camera}${suffix}`)
      published++
      await sleep(pauseMs)
    }
  })()
  await Promise.all([
    publishing,
    fault.disturb({
      rig,
      suffix,
      random,
      published: () => published,
      total: feed.frames.length,
      took: (what, ms) => {
        took[what] = ms
      },
    }),
  ])

  // The system has recovered when it stores a frame of a new camera.
  const over = performance.now()
  await rig.addCameras(`${suffix}-new`)
  const first = feed.frames[0]!
  await rig.oracle.publish({ ...first, name: 'fresh' }, `${first.camera}${suffix}-new`)
  const expectWithin = async (what: string, condition: () => Promise<boolean>, ms: number) => {
    await until(() => condition().catch(() => false), ms).catch(() =>
      wrong.push(`${what} within ${ms / 1_000} s; engines: ${JSON.stringify(engineStates(rig))}`),
    )
  }
  await expectWithin('a new frame was not stored', async () => (await rig.stored(`${suffix}-new`)) === 1, FRESH_MS)
  const recoveryMs = performance.now() - over
  const frames = rig.oracle.of(suffix)
  await expectWithin('the frames were not all stored', async () => (await rig.stored(suffix)) >= frames.length, 60_000)
  const last = (await streamState(rig.connection, 'HITS')).last_seq
  await expectWithin(
    'a console did not receive all hits',
    async () => rig.consoles.every(({ seq }) => seq >= last),
    20_000,
  )

  const { outcome, verdict } = await settle(rig, suffix, (outcome) =>
    judge({
      frames,
      forgotten: rig.oracle.forgotten,
      outcome,
      reference: reference ?? outcome,
      changing: fault.changing,
    }),
  )
  wrong.push(...verdict)
  const { now, above } = await levelsBack(rig, levels ?? {})
  wrong.push(...above)
  const memory = Object.fromEntries(Object.entries(now).map(([part, { bytes }]) => [part, bytes]))
  const result = {
    fault: fault.name,
    what: fault.what,
    wrong,
    frames: frames.length,
    reads: outcome.reads.length,
    hits: outcome.hits.length,
    recoveryMs,
    memory,
    took,
    ms: performance.now() - began,
  }
  return { result, outcome, levels: now }
}

const engineStates = (rig: Rig) =>
  [...rig.engineStatus.values()].map(({ instance, waiting, partitions, gauges }) => ({
    instance,
    waiting,
    partitions,
    gauges,
  }))

/**
 * Judges the outcome, repeatedly while it is wrong: tables are written independently, so the ledger may be complete an
 * instant before the hits. A real loss or duplicate does not go away.
 */
async function settle(
  rig: Rig,
  suffix: string,
  verdictOn: (outcome: Outcome) => string[],
): Promise<{ outcome: Outcome; verdict: string[] }> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const outcome = await outcomeOf(suffix, {
      rows: (query) => rig.rows(query),
      connection: rig.connection,
      cropsFolder: rig.paths.crops,
      oracle: rig.oracle,
      consoles: rig.consoles,
    })
    const verdict = verdictOn(outcome)
    if (verdict.length === 0 || performance.now() > deadline) return { outcome, verdict }
    await sleep(250)
  }
}

/**
 * Waits until memory and open files are back to their levels: a process that has just started still has the connections
 * that it loads data over. @returns the levels, and the errors if they stay above
 */
async function levelsBack(rig: Rig, before: Levels): Promise<{ now: Levels; above: string[] }> {
  const deadline = performance.now() + SETTLE_MS
  for (;;) {
    const now = levelsOf(rig)
    const above = Object.entries(before).flatMap(([part, { bytes, files }]) => {
      const after = now[part]
      if (!after) return [`${part} is not running`]
      if (after.bytes > bytes + MEMORY_SLACK)
        return [`${part} uses ${mib(after.bytes)} MiB of memory, ${mib(bytes)} before the fault`]
      return after.files > files + FILES_SLACK
        ? [`${part} has ${after.files} files open, ${files} before the fault`]
        : []
    })
    if (above.length === 0 || performance.now() > deadline) return { now, above }
    await sleep(250)
  }
}

function levelsOf(rig: Rig): Levels {
  const names = [...rig.keepers.keys()].filter((name) => /^(engine|gateway)/.test(name)) as PartName[]
  return Object.fromEntries(
    names.flatMap((name) => {
      const usage = rig.usage(name)
      return usage ? [[name, usage]] : []
    }),
  )
}

const mib = (bytes: number): number => Math.round(bytes / 1_048_576)

function randomFrom(seed: number): () => number {
  let state = seed + 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

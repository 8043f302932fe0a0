import { number, type Figure, type Measured } from './result.js'

/** What the older benchmarks give, as far as figures are made of it. */
export interface RecognizeResult {
  model: string
  module: string
  groups: {
    name: string
    stages: { stage: string; median: number; p95: number }[]
    multiple: { median: number }
    pictures: number
  }[]
}
export interface AccuracyResult {
  model: string
  module: string
  sets: Record<string, { plates: number; corrected: number; topFive: number }>
  nothing: { pictures: number; withRead: number }
  clips?: { clips: number; right: number }
  calibrationError: number
}
export interface MatchResult {
  patterns?: {
    plates: number
    loadMs: number
    bytesAPlate: number
    rows: { kind: string; pattern: string; ms: number; multiple: number; limit: number; pooledMs: number }[]
    threadGain: number
  }
  hotList?: { threshold: number; certainty: number; p50: number; p99: number; ownP99: number; emptyP99: number }[]
  peers?: { name: string; entries: number; certainty: number; threshold?: number; us: number; p99: number }[]
}
export interface CanvassResult {
  reads: number
  cameras: number
  plates: number
  bytesARead: Record<string, number>
  cases: {
    name: string
    cold: number
    p50: number
    p95: number
    sqlP50: number
    ratio: number
    goalP50?: number
    goalP95?: number
  }[]
  storeMemoryMiB: { most: number }
}

const lower = (name: string, value: number, unit: string, goal?: number): Figure => ({
  name,
  value,
  unit,
  better: 'lower',
  ...(goal !== undefined && { goal }),
})
const higher = (name: string, value: number, unit: string, goal?: number): Figure => ({
  name,
  value,
  unit,
  better: 'higher',
  ...(goal !== undefined && { goal }),
})

export function ofRecognize({ model, module, groups }: RecognizeResult): Measured {
  return {
    workload: {
      model,
      module,
      ...Object.fromEntries(groups.map(({ name, pictures }) => [name, `${pictures} pictures`])),
    },
    figures: groups.flatMap(({ name, stages, multiple }) => [
      ...stages.flatMap(({ stage, median, p95 }) => [
        lower(`${name}: ${stage}, median`, median, 'ms'),
        lower(`${name}: ${stage}, p95`, p95, 'ms'),
      ]),
      lower(`${name}: all-in beside the luma decode`, multiple.median, 'times', 4),
    ]),
    panels: groups.map(({ name, stages }) => ({
      kind: 'bars' as const,
      title: `${name}: one frame, one thread, median`,
      unit: 'ms',
      bars: stages.map(({ stage, median }) => ({ label: stage, value: median })),
    })),
  }
}

export function ofAccuracy({ model, module, sets, nothing, clips, calibrationError }: AccuracyResult): Measured {
  const share = (part: number, all: number) => (all === 0 ? 0 : (100 * part) / all)
  const named = Object.entries(sets).filter(([, { plates }]) => plates > 0)
  return {
    workload: {
      model,
      module,
      plates: named.reduce((sum, [, { plates }]) => sum + plates, 0),
      picturesWithoutPlate: nothing.pictures,
    },
    figures: [
      ...named.flatMap(([set, { plates, corrected, topFive }]) => [
        higher(`${set}: read exactly (n=${plates})`, share(corrected, plates), '%'),
        higher(`${set}: among the best five`, share(topFive, plates), '%'),
      ]),
      ...(nothing.pictures > 0
        ? [
            lower(
              `read on pictures without a plate (n=${nothing.pictures})`,
              share(nothing.withRead, nothing.pictures),
              '%',
              2,
            ),
          ]
        : []),
      ...(clips
        ? [
            higher(
              `clips of one vehicle: one read, and right (n=${clips.clips})`,
              share(clips.right, clips.clips),
              '%',
              95,
            ),
          ]
        : []),
      lower('expected calibration error', calibrationError, '', 0.03),
    ],
    panels: [
      {
        kind: 'bars',
        title: 'plates read exactly',
        unit: '%',
        bars: named.map(([set, { plates, corrected }]) => ({
          label: `${set} (${plates})`,
          value: share(corrected, plates),
        })),
      },
    ],
  }
}

export function ofMatch({ patterns, hotList = [], peers = [] }: MatchResult): Measured {
  const plain = peers.filter(({ certainty }) => certainty === 0.9)
  return {
    workload: {
      ...(patterns && { plates: patterns.plates }),
      ...(peers[0] && { peers: [...new Set(peers.map(({ name }) => name))] }),
    },
    figures: [
      ...(patterns
        ? [
            lower('loading', patterns.loadMs, 'ms'),
            lower('memory', patterns.bytesAPlate, 'bytes a plate'),
            higher('gain by threads', patterns.threadGain, 'times', 1.8),
          ]
        : []),
      ...(patterns?.rows ?? []).flatMap(({ pattern, ms, multiple, limit }) => [
        lower(`pattern ${pattern}`, ms, 'ms'),
        lower(`pattern ${pattern} beside a memory scan`, multiple, 'times', limit),
      ]),
      ...hotList.flatMap(({ threshold, certainty, p50, p99, ownP99, emptyP99 }) => [
        lower(`read against the list, p >= ${threshold}, sure to ${certainty}: p50`, p50, 'us'),
        lower(`read against the list, p >= ${threshold}, sure to ${certainty}: p99`, p99, 'us', 20),
        lower(`p >= ${threshold}, sure to ${certainty}: p99 of the best of three`, ownP99, 'us'),
        lower(`p >= ${threshold}, sure to ${certainty}: p99 of an empty loop beside it`, emptyP99, 'us'),
      ]),
      ...peers.flatMap(({ name, entries, certainty, threshold, us, p99 }) => {
        const what = `${name}${threshold === undefined ? '' : ` p >= ${threshold}`}, ${entries} entries, sure to ${certainty}`
        return [lower(`${what}: p50`, us, 'us'), lower(`${what}: p99`, p99, 'us')]
      }),
    ],
    panels: [
      ...(patterns
        ? [
            {
              kind: 'bars' as const,
              title: `patterns over ${number(patterns.plates)} plates`,
              unit: 'ms, one thread',
              log: true,
              bars: patterns.rows.map(({ pattern, ms, multiple, limit }) => ({
                label: pattern,
                value: ms,
                goal: (ms * limit) / multiple,
              })),
            },
          ]
        : []),
      ...(plain.length > 0
        ? [
            {
              kind: 'bars' as const,
              title: 'one read against a hot list, beside other packages',
              unit: 'us',
              log: true,
              bars: plain.map(({ name, entries, threshold, us }) => ({
                label: `${name}${threshold === undefined ? '' : ` p >= ${threshold}`}, ${number(entries)}`,
                value: us,
              })),
            },
          ]
        : []),
    ],
  }
}

export function ofCanvass({ reads, cameras, plates, bytesARead, cases, storeMemoryMiB }: CanvassResult): Measured {
  return {
    workload: { reads, cameras, plates },
    figures: [
      ...cases.flatMap(({ name, cold, p50, p95, sqlP50, ratio, goalP50, goalP95 }) => [
        lower(`${name}: p50`, p50, 'ms', goalP50),
        lower(`${name}: p95`, p95, 'ms', goalP95),
        lower(`${name}: cold`, cold, 'ms'),
        lower(`${name}: SQL by hand, p50`, sqlP50, 'ms'),
        lower(`${name}: beside it`, ratio, 'times', 1.5),
      ]),
      lower('bytes a read, all tables', bytesARead.all ?? NaN, 'bytes', 45),
      lower('memory of the store at most', storeMemoryMiB.most, 'MiB'),
    ],
    panels: [
      {
        kind: 'bars',
        title: 'questions over HTTP, p50',
        unit: 'ms',
        log: true,
        bars: cases.map(({ name, p50, goalP50 }) => ({ label: name, value: p50, ...(goalP50 && { goal: goalP50 }) })),
      },
      {
        kind: 'bars',
        title: 'bytes a read on disk',
        unit: 'bytes',
        bars: Object.entries(bytesARead).map(([label, value]) => ({ label, value })),
      },
    ],
  }
}

import { higher, lower, type Figure, type Measured } from '../report/result.js'
import type { Panel } from '../report/plot.js'
import { numberText } from '../report/statistics.js'
import { kHotListP99Goal, type HotListRow } from './hot_list.js'
import { kThreadGainGoal, type PatternResult } from './patterns.js'
import type { PeerRow } from './peers.js'

export interface MatchResult {
  patterns?: PatternResult
  hotList?: HotListRow[]
  peers?: PeerRow[]
}

export function measuredOf({ patterns, hotList = [], peers = [] }: MatchResult): Measured {
  const usual = peers.filter(({ certainty }) => certainty === 0.9)
  return {
    workload: {
      ...(patterns && { plates: patterns.plates }),
      ...(peers[0] && { peers: [...new Set(peers.map(({ name }) => name))] }),
    },
    figures: [
      ...(patterns ? patternFigures(patterns) : []),
      ...hotList.flatMap(hotListFigures),
      ...peers.flatMap(peerFigures),
    ],
    panels: [...(patterns ? [patternPanel(patterns)] : []), ...(usual.length > 0 ? [peerPanel(usual)] : [])],
  }
}

const patternFigures = ({ loadMs, bytesAPlate, threadGain, rows }: PatternResult): Figure[] => [
  lower('loading', loadMs, 'ms'),
  lower('memory', bytesAPlate, 'bytes a plate'),
  higher('gain by threads', threadGain, 'times', kThreadGainGoal),
  ...rows.flatMap(({ pattern, ms, multiple, limit }) => [
    lower(`pattern ${pattern}`, ms, 'ms'),
    lower(`pattern ${pattern} beside a memory scan`, multiple, 'times', limit),
  ]),
]

const hotListFigures = ({ threshold, certainty, p50, p99, ownP99, emptyP99 }: HotListRow): Figure[] => [
  lower(`read against the list, p >= ${threshold}, sure to ${certainty}: p50`, p50, 'us'),
  lower(`read against the list, p >= ${threshold}, sure to ${certainty}: p99`, p99, 'us', kHotListP99Goal),
  lower(`p >= ${threshold}, sure to ${certainty}: p99 of the best of three`, ownP99, 'us'),
  lower(`p >= ${threshold}, sure to ${certainty}: p99 of an empty loop beside it`, emptyP99, 'us'),
]

const labelOf = ({ name, threshold }: PeerRow): string => (threshold === undefined ? name : `${name} p >= ${threshold}`)

function peerFigures(row: PeerRow): Figure[] {
  const what = `${labelOf(row)}, ${row.entries} entries, sure to ${row.certainty}`
  return [lower(`${what}: p50`, row.us, 'us'), lower(`${what}: p99`, row.p99, 'us')]
}

const patternPanel = ({ plates, rows }: PatternResult): Panel => ({
  kind: 'bars',
  title: `patterns over ${numberText(plates)} plates`,
  unit: 'ms, one thread',
  log: true,
  bars: rows.map(({ pattern, ms, multiple, limit }) => ({
    label: pattern,
    value: ms,
    goal: (ms * limit) / multiple,
  })),
})

const peerPanel = (rows: readonly PeerRow[]): Panel => ({
  kind: 'bars',
  title: 'one read against a hot list, beside other packages',
  unit: 'us',
  log: true,
  bars: rows.map((row) => ({ label: `${labelOf(row)}, ${numberText(row.entries)}`, value: row.us })),
})

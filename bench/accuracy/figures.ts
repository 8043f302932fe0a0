import { higher, lower, type Measured } from '../report/result.js'
import type { ClipCounts } from './clips.js'
import type { Tally } from './tally.js'

/** Percentages, and the calibration error. */
export const GOAL = { falseReads: 2, clips: 95, calibration: 0.03 }

/** Pictures without a plate: with any read, and reads in all. */
export interface EmptyPictures {
  pictures: number
  withRead: number
  reads: number
}

interface AccuracyResult {
  model: string
  module: string
  sets: Record<string, Tally>
  nothing: EmptyPictures
  clips?: ClipCounts
  calibrationError: number
}

export function measuredOf({ model, module, sets, nothing, clips, calibrationError }: AccuracyResult): Measured {
  const percent = (part: number, all: number) => (all === 0 ? 0 : (100 * part) / all)
  const used = Object.entries(sets).filter(([, { plates }]) => plates > 0)
  const falseReads = `read on pictures without a plate (n=${nothing.pictures})`
  const figures = used.flatMap(([set, { plates, corrected, topFive }]) => [
    higher(`${set}: read exactly (n=${plates})`, percent(corrected, plates), '%'),
    higher(`${set}: among the best five`, percent(topFive, plates), '%'),
  ])
  if (nothing.pictures > 0)
    figures.push(lower(falseReads, percent(nothing.withRead, nothing.pictures), '%', GOAL.falseReads))
  if (clips) {
    const name = `clips of one vehicle: one read, and right (n=${clips.clips})`
    figures.push(higher(name, percent(clips.right, clips.clips), '%', GOAL.clips))
  }
  figures.push(lower('expected calibration error', calibrationError, '', GOAL.calibration))
  return {
    workload: {
      model,
      module,
      plates: used.reduce((sum, [, { plates }]) => sum + plates, 0),
      picturesWithoutPlate: nothing.pictures,
    },
    figures,
    panels: [
      {
        kind: 'bars',
        title: 'plates read exactly',
        unit: '%',
        bars: used.map(([set, { plates, corrected }]) => ({
          label: `${set} (${plates})`,
          value: percent(corrected, plates),
        })),
      },
    ],
  }
}

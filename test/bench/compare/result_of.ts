import type { Figure, Result } from '../../../bench/report/result.js'

/** A result with these figures. */
export const resultOf = (...figures: Figure[]): Result => ({
  benchmark: 'x',
  command: '',
  startedAt: '2026-01-01T00:00:00Z',
  seconds: 1,
  machine: { cpu: 'c', cores: 2, memoryGb: 4, os: 'o' },
  load: { start: 0, end: 0 },
  versions: {},
  workload: {},
  figures,
})
/** A rate with its samples. */
export const rate = (samples: number[]): Figure => ({
  name: 'rate',
  value: samples[0]!,
  unit: '1/s',
  better: 'higher',
  samples,
})

import { AlprError } from '../errors.js'
import { WEEK_MS } from '../model/time.js'

export { WEEK_MS }
/** 1970-01-05, the first Monday of the numbering. */
const FIRST_MONDAY = 345_600_000

/** Monday 00:00 UTC of the week that contains a time, ms: the partition of a read. */
export const mondayOf = (ms: number): number => Math.floor((ms - FIRST_MONDAY) / WEEK_MS) * WEEK_MS + FIRST_MONDAY

/** `YYYY-MM-DD` of a Monday, the name of its partition. @throws ALPR_ERR_USAGE for any other time */
export function partitionOf(week: number): string {
  if (!Number.isSafeInteger(week) || mondayOf(week) !== week)
    throw new AlprError('ALPR_ERR_USAGE', { reason: 'a week is named by its Monday, 00:00 UTC' })
  return new Date(week).toISOString().slice(0, 10)
}

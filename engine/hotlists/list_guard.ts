import { AlprError } from '../errors.js'
import type { ListChange } from './list_change.js'

/** What the guard judges a file by. */
export interface GuardedFile {
  /** Lines that are not blank, and how many of them are bad. */
  lines: number
  bad: number
}

/**
 * Refuses a list that would become empty or much smaller: half a file, or the one of another system, is an accident far
 * more often than what happened on the road. Entries that ended count as gone.
 * @param share the most by which a list may shrink without a person's consent, 0 to 1
 * @throws ALPR_ERR_HOTLIST_SHRINKS
 */
export function guardShrink(list: string, change: ListChange, file: GuardedFile, share: number): void {
  const { before, after, openBefore, openAfter } = change
  const refuse = (reason: string) => new AlprError('ALPR_ERR_HOTLIST_SHRINKS', { list, reason })
  const inForce = before > 0 ? `; the list in force has ${before}` : ''
  if (after === 0) {
    const because = file.bad > 0 ? `: all ${file.lines} lines are invalid` : ''
    throw refuse(`the file has no plate${because}${inForce}`)
  }
  if (openAfter === 0 && openBefore > 0)
    throw refuse(`all ${after} entries of the file have ended; of the list in force ${openBefore} have not`)
  if (file.bad * 2 > file.lines) throw refuse(`${file.bad} of ${file.lines} lines are invalid`)
  const lost = openBefore - openAfter
  if (lost > openBefore * share)
    throw refuse(
      `it would shrink from ${openBefore} to ${openAfter} plates, by ${Math.round((lost / openBefore) * 100)} %; ` +
        `at most ${Math.round(share * 100)} % is taken for granted (setting hotlists.maxShrink)`,
    )
}

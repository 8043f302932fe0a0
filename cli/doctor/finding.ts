import type { Purpose } from './programs.js'

/** The result of one check. */
export interface Finding {
  what: string
  ok: boolean
  detail: string
  /** How to fix it, exactly; shown only when not ok. */
  remedy?: string
  /**
   * What needs it; a failed check counts only for those who need it. `running`: a check of the running system, which
   * counts for everybody.
   */
  neededFor: Purpose | 'running'
}

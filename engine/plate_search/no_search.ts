import { AlprError } from '../errors.js'
import type { PlateSearch } from './candidates.js'

/**
 * The search of an access with a restricted scope: there is none, because the dictionary and the table `plates` know
 * plates but not their cameras. The planner then scans areas; questions that need a search are refused.
 */
export const NO_SEARCH: PlateSearch = {
  name: 'sql',
  cost: async () => ({ ms: Infinity, isOverBudget: false }),
  search: async () => {
    throw refused()
  },
  // biome-ignore lint/correctness/useYield: it refuses before the first page
  async *pages() {
    throw refused()
  },
}

const refused = () => new AlprError('ALPR_ERR_SCOPE_RESTRICTED', { what: 'a search over all plates' })

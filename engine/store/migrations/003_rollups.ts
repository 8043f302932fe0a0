import { createRollup, createRollupView, ROLLUP_NAMES } from '../rollups.js'
import { reads } from '../schema.js'
import { addCounts } from './add_counts.js'
import type { Migration } from './migration.js'

export const CREATE_ROLLUPS: Migration = {
  version: 3,
  name: 'rollups: distinct plates, reads and quality by camera and hour, cells of a camera',
  statements: (database, form) => [
    ...addCounts(database, form),
    ...ROLLUP_NAMES.flatMap((name) => [
      ...createRollup(database, name, form),
      createRollupView(database, name, reads, form),
    ]),
  ],
}

import { addColumn } from '../ddl.js'
import { reads } from '../schema.js'
import type { Migration } from './migration.js'

export const GLARE: Migration = {
  version: 2,
  name: 'glare of a read',
  statements: (database, form) => addColumn(database, reads, 'glare', 'contrast', form),
}

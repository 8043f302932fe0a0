import { onCluster, storedName, type Form } from '../ddl.js'
import { readsByPlate } from '../schema.js'
import { GONE } from '../tables.js'
import type { Step } from './migration.js'

/** Drops an index by plate of an older schema: the present one has a column that none of the earlier ones had. */
export function dropOldPlateIndex(database: string, form: Form): Step[] {
  const { name } = readsByPlate
  const target = storedName(name, form)
  const statements = [
    `DROP VIEW IF EXISTS ${database}.${target}_view${onCluster(form)} SYNC`,
    ...(form.kind === 'cluster' ? [`DROP TABLE IF EXISTS ${database}.${name}${onCluster(form)} SYNC`] : []),
    `DROP TABLE IF EXISTS ${database}.${target}${onCluster(form)} SYNC`,
  ]
  return statements.map((sql) => ({ sql, while: { table: target, column: GONE.name, lacks: true } }))
}

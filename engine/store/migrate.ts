import type { ClickHouseClient } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import { checkDatabaseName, createDatabase, createVersionTable, SINGLE, type Form } from './ddl.js'
import { requireForm } from './form_check.js'
import { READS_HITS_LEDGER } from './migrations/001_reads_hits_ledger.js'
import { GLARE } from './migrations/002_glare.js'
import { CREATE_ROLLUPS } from './migrations/003_rollups.js'
import { RETENTION } from './migrations/004_retention.js'
import { FILL_ROLLUPS } from './migrations/005_fill_rollups.js'
import { COMPACT_READS } from './migrations/006_compact_reads.js'
import { FULL_PLATE_INDEX } from './migrations/007_full_plate_index.js'
import { COUNT_READS } from './migrations/008_count_reads.js'
import type { Migration, StepCondition } from './migrations/migration.js'

const MIGRATIONS: readonly Migration[] = [
  READS_HITS_LEDGER,
  GLARE,
  CREATE_ROLLUPS,
  RETENTION,
  FILL_ROLLUPS,
  COMPACT_READS,
  FULL_PLATE_INDEX,
  COUNT_READS,
]

export const SCHEMA_VERSION = MIGRATIONS.at(-1)!.version

/** All statements that create the schema from nothing, in order: to read, to test, to set a cluster up by hand. */
export function schemaStatements(database: string, form: Form = SINGLE): string[] {
  checkDatabaseName(database)
  const all = MIGRATIONS.flatMap((migration) => migration.statements(database, form)).filter(
    (step) => typeof step === 'string',
  )
  // A statement that a later migration repeats (IF NOT EXISTS) is listed once.
  return [createDatabase(database, form), createVersionTable(database, form), ...new Set(all)]
}

/**
 * Brings the schema up to date. Safe when several processes do it at once, and when one is interrupted: every statement
 * may run twice (IF NOT EXISTS, or a table emptied before it is filled), and a migration is recorded only when all of
 * it is done.
 * @param onStep called before each migration that is still to do
 * @throws ALPR_ERR_SCHEMA_NEWER when a newer program has migrated this database, ALPR_ERR_STORE_FORM
 */
export async function migrate(
  client: ClickHouseClient,
  database: string,
  form: Form = SINGLE,
  onStep: (step: { version: number; name: string }) => void = () => {},
): Promise<void> {
  checkDatabaseName(database)
  await requireForm(client, database, form)
  const run = (query: string) => client.command({ query })
  await run(createDatabase(database, form))
  await run(createVersionTable(database, form))
  const found = await schemaVersion(client, database)
  if (found > SCHEMA_VERSION) throw new AlprError('ALPR_ERR_SCHEMA_NEWER', { found, known: SCHEMA_VERSION })
  for (const migration of MIGRATIONS) {
    if (migration.version <= found) continue
    onStep(migration)
    for (const step of migration.statements(database, form)) {
      if (typeof step === 'string') await run(step)
      else if (step.while) await runConditional(client, database, step.sql, step.while)
      // A new database has nothing to convert.
      else if (found > 0) await client.command({ query: step.sql, clickhouse_settings: LONG })
    }
    await client.command({
      query: `INSERT INTO ${database}.schema_version (version, name) SELECT {version:UInt32}, {name:String}`,
      query_params: { version: migration.version, name: migration.name },
    })
  }
}

/** The version that the database is at, 0 for none. @throws when the database does not exist */
export async function schemaVersion(client: ClickHouseClient, database: string): Promise<number> {
  const result = await client.query({
    query: `SELECT max(version) AS version FROM ${database}.schema_version`,
    format: 'JSONEachRow',
  })
  return Number((await result.json<{ version: number }>())[0]?.version ?? 0)
}

/** A step that converts all rows may take this long. */
const LONG = { max_execution_time: 3_600 }

/** Another process may run the same step: a failure counts only while the step is still to do. */
async function runConditional(
  client: ClickHouseClient,
  database: string,
  sql: string,
  condition: StepCondition,
): Promise<void> {
  if (!(await holds(client, database, condition))) return
  try {
    await client.command({ query: sql, clickhouse_settings: LONG })
  } catch (error) {
    if (await holds(client, database, condition)) throw error
  }
}

async function holds(
  client: ClickHouseClient,
  database: string,
  { table, column, type, lacks }: StepCondition,
): Promise<boolean> {
  const result = await client.query({
    query:
      'SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String} ' +
      'AND name = {column:String}',
    query_params: { database, table, column },
    format: 'JSONEachRow',
  })
  const [found] = await result.json<{ type: string }>()
  if (lacks) return found === undefined
  return found !== undefined && (type === undefined || found.type === type)
}

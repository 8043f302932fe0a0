import type { ClickHouseClient } from '@clickhouse/client'
import { AlprError } from '../errors.js'
import type { Form } from './ddl.js'
import { ROLLUP_NAMES } from './rollups.js'
import { hits, ledger, purges, reads, readsByPlate, readsHeld, rollupSeals } from './schema.js'

interface FoundTable {
  name: string
  engine: string
  engine_full: string
}

const NAMES: ReadonlySet<string> = new Set([
  ...[reads, readsByPlate, readsHeld, hits, ledger, purges, rollupSeals].map(({ name }) => name),
  ...ROLLUP_NAMES,
])

/**
 * Checks the tables of a database, if there are any, and the server against the form of the settings. The steps of the
 * other form would find each name taken, do nothing, and add views that count everything twice.
 * @throws ALPR_ERR_STORE_FORM
 */
export async function requireForm(client: ClickHouseClient, database: string, form: Form): Promise<void> {
  const refuse = (reason: string) => new AlprError('ALPR_ERR_STORE_FORM', { database, reason })
  const rows = async <Row>(query: string): Promise<Row[]> =>
    (await client.query({ query, query_params: { database }, format: 'JSONEachRow' })).json<Row>()
  const tables = (
    await rows<FoundTable>('SELECT name, engine, engine_full FROM system.tables WHERE database = {database:String}')
  ).filter(({ name }) => NAMES.has(name.replace(/_local$/, '')))

  const spread = tables.find(({ engine }) => engine === 'Distributed')
  if (form.kind === 'single') {
    if (spread) throw refuse(`${spread.name} is spread over the cluster ${clusterOf(spread)}, the setting is empty`)
    const local = tables.find(({ name }) => name.endsWith('_local'))
    if (local) throw refuse(`${local.name} is a table of a cluster, the setting is empty`)
    return
  }
  const { cluster } = form
  const stored = tables.find(({ name, engine }) => !name.endsWith('_local') && engine !== 'Distributed')
  if (stored) throw refuse(`${stored.name} is stored on one server (${stored.engine}), the setting is ${cluster}`)
  const other = tables.find((table) => table.engine === 'Distributed' && clusterOf(table) !== cluster)
  if (other) throw refuse(`${other.name} is spread over the cluster ${clusterOf(other)}, the setting is ${cluster}`)

  const hosts = await rows<{ cluster: string; internal_replication?: number }>('SELECT * FROM system.clusters')
  const own = hosts.filter((host) => host.cluster === cluster)
  if (own.length === 0) {
    const known = [...new Set(hosts.map((host) => host.cluster))].join(', ') || 'none'
    throw refuse(`the server knows no cluster ${cluster} (it knows ${known})`)
  }
  // Otherwise the Distributed table writes to each replica by itself, and copies differ when one of them is away.
  if (own.some((host) => host.internal_replication === 0))
    throw refuse(`the cluster ${cluster} is configured without internal_replication`)
  const macros = new Set((await rows<{ macro: string }>('SELECT macro FROM system.macros')).map(({ macro }) => macro))
  const missing = ['shard', 'replica'].filter((name) => !macros.has(name))
  if (missing.length > 0) throw refuse(`the server has no macro {${missing.join('} and {')}}`)
}

const clusterOf = ({ engine_full: full }: FoundTable): string => /^Distributed\('([^']+)'/.exec(full)?.[1] ?? 'unknown'

import type { NatsConnection } from 'nats'
import { CanvassService } from '../canvass/canvass_service.js'
import { AlprError, reasonOf } from '../errors.js'
import { platesOfList } from '../hotlists/hotlist_store.js'
import { LoadingSearch, type SearchLog } from '../plate_search/loading_search.js'
import { dataPaths, type Settings } from '../settings.js'
import { createClient, type StoreAddress } from '../store/client.js'
import { formOf } from '../store/ddl.js'
import type { AccessGate } from './access.js'
import { ClickHouseRecords } from './clickhouse_records.js'
import { Records } from './records.js'

/** The store ends a statement after 30 s, one of an export after 300 s; then it has answered. Milliseconds. */
const REQUEST_TIMEOUT_MS = 310_000
/** More connections than the store runs statements at once: what waits, waits in the store, which knows priorities. */
const MAX_CONNECTIONS = 64

export interface RecordsOptions {
  settings: Settings
  /** The embedded store; unused when the settings name a ClickHouse server. */
  store?: StoreAddress
  gate: AccessGate
  /** The connection that hot lists are read over, for questions that name one; may throw while there is none. */
  nats: () => NatsConnection | Promise<NatsConnection>
  log: SearchLog
}

/** The records door over a store. */
export interface OpenRecords {
  readonly records: Records
  /** Loads the plate dictionary in the background; without it the store searches plates itself, slower. */
  loadDictionary(): void
  close(): Promise<void>
}

/** Connects nothing yet: the store may be away. */
export function openRecords({ settings, store, gate, nats, log }: RecordsOptions): OpenRecords {
  const { database } = settings.clickhouse
  const client = createClient(settings, store, {
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    maxConnections: MAX_CONNECTIONS,
  })
  const search = new LoadingSearch(client, database, log, settings.gateway.searchBudgetMs)
  const url = settings.clickhouse.url || (store?.url ?? '')
  const canvass = new CanvassService({ client, database, url, search, platesOfList: (id) => listedPlates(nats, id) })
  const records = new Records(new ClickHouseRecords(settings, store, dataPaths(settings).crops), canvass, gate)
  return {
    records,
    // It follows the parts of one table on one server (`newPlates`): on a cluster it would miss plates of other shards.
    loadDictionary: () => {
      if (formOf(settings).kind === 'single') search.start()
    },
    close: async () => {
      await search.close()
      await client.close()
      await records.close()
    },
  }
}

/** @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_NATS_UNAVAILABLE */
async function listedPlates(nats: RecordsOptions['nats'], id: string): Promise<readonly string[]> {
  let connection: NatsConnection
  try {
    connection = await nats()
  } catch (error) {
    if (error instanceof AlprError) throw error
    throw new AlprError(
      'ALPR_ERR_NATS_UNAVAILABLE',
      { url: 'the hot lists', reason: reasonOf(error) },
      { cause: error },
    )
  }
  return platesOfList(connection.jetstream(), id)
}

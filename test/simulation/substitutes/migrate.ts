import { world } from '../current.js'
import type { SimulatedClient } from './store_client.js'

export * from '../../../engine/store/migrate.js'

export async function migrate({ owner }: SimulatedClient): Promise<void> {
  await world().store.ping(owner)
}

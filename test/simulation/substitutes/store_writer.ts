import type { StoreBatch } from '../../../engine/store/writer.js'
import { world } from '../current.js'
import type { SimulatedClient } from './store_client.js'

export * from '../../../engine/store/writer.js'

export class StoreWriter {
  constructor(private readonly client: SimulatedClient) {}

  write(batch: StoreBatch): Promise<void> {
    return world().store.write(this.client.owner, batch)
  }
}

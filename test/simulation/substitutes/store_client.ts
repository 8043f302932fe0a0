import type { Process } from '../clock.js'
import { world } from '../current.js'

export * from '../../../engine/store/client.js'

/** The process whose connection to the store this is. */
export interface SimulatedClient {
  owner: Process
  close(): Promise<void>
}

export const createClient = (): SimulatedClient => ({ owner: world().clock.current!, close: () => Promise.resolve() })

/** @throws when `signal` aborts */
export async function waitForStore({ owner }: SimulatedClient, options: { signal?: AbortSignal } = {}): Promise<void> {
  while (!(await world().store.ping(owner))) options.signal?.throwIfAborted()
}

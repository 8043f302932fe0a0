import type { ReadMessage } from '../shared/protocol.js'

type StoredRead = Omit<ReadMessage, 'type' | 'lists'>

/**
 * The newest stored reads, oldest first, so that a fresh page is not empty. Empty if the gateway cannot answer: live
 * reads follow anyway.
 */
export async function fetchStoredReads(limit: number): Promise<ReadMessage[]> {
  try {
    const response = await fetch(`api/reads?limit=${limit}`, { credentials: 'same-origin' })
    if (!response.ok) return []
    const { items } = (await response.json()) as { items: StoredRead[] }
    return items.reverse().map((read) => ({ ...read, type: 'read', lists: [] }))
  } catch {
    return []
  }
}

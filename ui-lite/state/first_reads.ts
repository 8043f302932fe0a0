import type { ReadMessage } from '../../gateway/live/protocol.js'

type Row = Omit<ReadMessage, 'type' | 'lists'>

/**
 * The newest stored reads, so that a fresh page is not empty; nothing when the store is away, because live reads follow
 * anyway.
 */
export async function firstReads(limit: number): Promise<ReadMessage[]> {
  try {
    const answer = await fetch(`/api/reads?limit=${limit}`, { credentials: 'same-origin' })
    if (!answer.ok) return []
    const { items } = (await answer.json()) as { items: Row[] }
    return items.reverse().map((row) => ({ ...row, type: 'read', lists: [] }))
  } catch {
    return []
  }
}

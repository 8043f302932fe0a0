import { codeOf } from '../errors.js'
import type { Access, AccessGate, AccessRequest, Ticket } from './access.js'

/**
 * Runs `work` as one access: begins it, and ends it with the rows that `work` counted and the code of its error.
 * @throws what the gate or `work` throws
 */
export async function throughGate<T>(
  gate: AccessGate,
  access: Access,
  request: AccessRequest,
  work: (ticket: Ticket, count: (rows: number) => void) => Promise<T>,
): Promise<T> {
  const ticket = await gate.begin(access, request)
  let rows = 0
  let failed: string | undefined
  try {
    return await work(ticket, (more) => {
      rows += more
    })
  } catch (error) {
    failed = codeOf(error)
    throw error
  } finally {
    await ticket.end({ rows, ...(failed !== undefined && { failed }) })
  }
}

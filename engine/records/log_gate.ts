import { createHash, randomUUID } from 'node:crypto'
import {
  requireAccess,
  type Access,
  type AccessEnd,
  type AccessGate,
  type AccessRequest,
  type Ticket,
} from './access.js'
import { WHOLE } from '../store/scope.js'

/** One line of the access record. `access` pairs the line of the begin with the line of the end. */
export type AccessLine = { access: string } & (
  | ({ phase: 'begin' } & Access & AccessRequest)
  | ({ phase: 'end' } & AccessEnd)
)

/**
 * Records every access in the log and refuses none that names who, why and in which session. It serves until
 * accounts, purposes and the audit log exist. Its scope is the whole.
 */
export class LogGate implements AccessGate {
  /** @param write writes one line; when it throws, nothing is read */
  constructor(private readonly write: (line: AccessLine) => void) {}

  /** @throws ALPR_ERR_AUTH_REQUIRED; what `write` throws */
  async begin(access: Access, request: AccessRequest): Promise<Ticket> {
    requireAccess(access)
    const { who, purpose, session } = access
    const id = randomUUID()
    this.write({ access: id, phase: 'begin', who, purpose, session, ...request, input: bounded(request.input) })
    return { scope: WHOLE, end: async (end) => this.write({ access: id, phase: 'end', ...end }) }
  }
}

/** A question may name 20,000 plates: of a long input a line has the beginning, the size and the hash. */
const MAX_INPUT = 8_192

function bounded(input: unknown): unknown {
  const text = JSON.stringify(input) ?? ''
  if (text.length <= MAX_INPUT) return input
  const sha256 = createHash('sha256').update(text).digest('hex')
  return { begins: text.slice(0, MAX_INPUT), characters: text.length, sha256 }
}

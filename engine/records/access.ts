import { AlprError } from '../errors.js'
import type { Scope } from '../store/scope.js'

/**
 * Who accesses plate data, why, and in which session. Required by every method of `Records`: "access only for a lawful
 * purpose" is a rule of all five policies, and the record of an access needs all three (AG 429.6).
 */
export interface Access {
  /** The person or service, as authentication knows it; 1 to 200 characters. */
  readonly who: string
  /**
   * Category and case number, or `NOT_STATED`; 1 to 500 characters. Which purposes are good enough is the gate's
   * decision.
   */
  readonly purpose: string
  /** Names the sign-in, so that accesses of one session can be found together; 1 to 200 characters, no secret. */
  readonly session: string
}

/** The purpose of callers that give none. A gate may refuse it. */
export const NOT_STATED = 'not stated'

/** What is accessed. */
export type AccessKind =
  | 'reads'
  | 'hits'
  | 'ledger'
  | 'picture'
  | 'question'
  | 'live'
  | 'partials'
  | 'dead letter'
  | 'recording'
  | 'backup'

/** One access, as the gate hears it before anything is read. */
export interface AccessRequest {
  readonly kind: AccessKind
  /** The request as it was understood: validated, with its defaults. No secret is in it; plates may be. */
  readonly input: unknown
  /** How the answer leaves: a page of rows, a file, a live stream, or how an answer would be found. */
  readonly form: 'page' | 'export' | 'live' | 'explain'
}

/** What the gate hears when the answer is complete, was given up or failed. */
export interface AccessEnd {
  /** Rows, hits or bytes of pictures that left. */
  readonly rows: number
  /** Code of the error, if there was one. */
  readonly failed?: string
}

/** An access that may go on. */
export interface Ticket {
  /** ANDed into every statement and every live filter of this access. */
  readonly scope: Scope
  /** Called exactly once. */
  end(end: AccessEnd): Promise<void>
}

/**
 * Stands in front of all plate data that leaves for a person. `Records` awaits `begin` before it reads anything.
 * Machine processing inside the engine (hit maker, retention, rollups, backup of a node) does not pass the gate.
 */
export interface AccessGate {
  /** @throws when the access is refused or cannot be recorded: then nothing was read */
  begin(access: Access, request: AccessRequest): Promise<Ticket>
}

const LIMITS = { who: 200, purpose: 500, session: 200 } as const

/**
 * Checks that an access names a person, a purpose and a session. For gates: a caller in JavaScript may leave them out.
 * @throws ALPR_ERR_AUTH_REQUIRED
 */
export function requireAccess(access: Access): void {
  for (const [field, limit] of Object.entries(LIMITS)) {
    const value: unknown = access?.[field as keyof Access]
    if (typeof value !== 'string' || value.trim().length === 0 || value.length > limit)
      throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
  }
}

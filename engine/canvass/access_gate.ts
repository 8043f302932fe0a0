import { AlprError } from '../errors.js'

/**
 * Who looks, and why. Every question carries one: "access only for a lawful purpose" is a rule of all five policies,
 * and the record of a look needs both (AG 429.6). Which purposes are good enough is decided by the gate, not here.
 */
export interface Look {
  /** The person or program that asks, as the door knows it; 1 to 200 characters. */
  who: string
  /** Category and case number, or what the profile wants; free text until the purpose rules stand. */
  purpose?: string
}

/** What the gate hears about a question before it is answered. */
export interface Asked {
  kind: string
  /** As it was understood: checked and with its defaults. */
  input: unknown
  /** How the answer leaves: a page of JSON, or a file. */
  form: 'page' | 'export' | 'explain'
}

/** What the gate hears when an answer is complete or was given up. */
export interface Answered {
  rows: number
  /** Code of the error, if there was one. */
  failed?: string
}

/**
 * THE seam: purpose and audit stand here, in front of every question. `CanvassService` calls it before the first query and awaits
 * it; when it throws, nothing was asked. The function it gives back is called once, when the answer has ended. Nothing
 * in this folder reaches the store in another way.
 */
export type Gate = (look: Look, asked: Asked) => Promise<(answered: Answered) => Promise<void>>

/** Until purpose and audit come: somebody must be named. */
export const openGate: Gate = async (look) => {
  if (typeof look.who !== 'string' || look.who.length === 0 || look.who.length > 200)
    throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
  return async () => {}
}

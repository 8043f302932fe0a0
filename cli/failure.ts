import { CommanderError } from 'commander'
import { AlprError, codeOf, reasonOf } from '../engine/runtime/mod.js'
import { printJson, printNote } from './output.js'

/** A failure that the command has already printed; only the exit code is left. */
export class ReportedFailure extends Error {
  readonly exitCode: number

  constructor(exitCode = 1) {
    super('already reported')
    this.exitCode = exitCode
  }
}

export const usage = (reason: string): AlprError => new AlprError('ALPR_ERR_USAGE', { reason })

/**
 * Prints a failure: one line for people or one JSON line for machines, never a stack.
 * @returns the exit code: 2 for wrong usage, 1 for any other failure
 */
export async function report(error: unknown, json: boolean): Promise<number> {
  if (error instanceof ReportedFailure) return error.exitCode
  // commander has printed its own line (program.ts). Help and version also arrive here, with exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const code = codeOf(error)
  const message = await messageOf(error)
  if (json) printJson({ error: { code, message } })
  else printNote(code === 'ALPR_ERR_USAGE' ? `platestream: ${message}` : `platestream: ${code}: ${message}`)
  return code === 'ALPR_ERR_USAGE' ? 2 : 1
}

async function messageOf(error: unknown): Promise<string> {
  if (error instanceof AlprError) return error.message.replace(/\s*\n\s*/g, ' ')
  // Loads the engine only for an error of the NATS client, which means that it is loaded already.
  if (error instanceof Error && error.name === 'NatsError') return (await import('../engine/mod.js')).natsReason(error)
  return reasonOf(error)
}

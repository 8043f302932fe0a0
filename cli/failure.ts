import { CommanderError } from 'commander'
import { natsReason } from '../engine/mod.js'
import { AlprError, codeOf } from '../engine/runtime/mod.js'

/** A failure that was told already, line by line: only the exit code is left. */
export class Told extends Error {
  readonly exitCode: number

  constructor(exitCode = 1) {
    super('told')
    this.exitCode = exitCode
  }
}

export const usage = (reason: string): AlprError => new AlprError('ALPR_ERR_USAGE', { reason })

/**
 * One line for people or one JSON line for machines, never a stack; the exit code is 2 for wrong usage, 1 for failures.
 */
export function report(error: unknown, json: boolean): number {
  if (error instanceof Told) return error.exitCode
  // commander has printed its line already (main.ts); help and version come this way too, with 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const code = codeOf(error)
  const message = error instanceof AlprError ? error.message.replace(/\s*\n\s*/g, ' ') : natsReason(error)
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`)
  else
    process.stderr.write(code === 'ALPR_ERR_USAGE' ? `platestream: ${message}\n` : `platestream: ${code}: ${message}\n`)
  return code === 'ALPR_ERR_USAGE' ? 2 : 1
}

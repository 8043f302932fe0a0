import { execFileSync } from 'node:child_process'
import { findProgram } from '../../engine/mod.js'

/** Version of the nats-server that tests start, e.g. `2.10.27`; empty without one. */
export function natsVersion(): string {
  const program = findProgram('nats-server')
  if (!program) return ''
  return /\d+\.\d+\.\d+/.exec(execFileSync(program, ['--version'], { encoding: 'utf8' }))?.[0] ?? ''
}

import { execFileSync } from 'node:child_process'
import { findProgram } from '../../engine/mod.js'

/**
 * Oldest nats-server, `[major, minor]`, for tests with three servers: 2.9.10 loses or duplicates frames when one server
 * dies.
 */
const MINIMUM = [2, 10] as const

/**
 * The nats-server for tests with three servers: the one that `CLUSTER_NATS_SERVER` names, or else the installed one.
 * @returns its path, or the reason why there is none
 */
export function clusterProgram(): { program: string } | { missing: string } {
  const program = findProgram(process.env.CLUSTER_NATS_SERVER ?? 'nats-server')
  if (!program) return { missing: 'nats-server is not installed' }
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()
  const [, major, minor] = /v(\d+)\.(\d+)\./.exec(text) ?? []
  const isNewer = Number(major) > MINIMUM[0] || (Number(major) === MINIMUM[0] && Number(minor) >= MINIMUM[1])
  return isNewer
    ? { program }
    : {
        missing:
          `tests with three servers require nats-server ${MINIMUM.join('.')} or newer, this is ${text}; ` +
          '.ci/newer-nats downloads one',
      }
}

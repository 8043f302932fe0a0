import { execFileSync } from 'node:child_process'
import { findProgram } from '../../engine/mod.js'

/**
 * Oldest nats-server, `[major, minor]`, that keeps replicated streams: three servers of 2.9.10 lose or double frames
 * when one dies.
 */
const MINIMUM = [2, 10] as const

/**
 * The nats-server that tests with three servers run on, or why there is none. `CLUSTER_NATS_SERVER` names it; else the
 * installed one.
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
        missing: `three servers need nats-server ${MINIMUM.join('.')} or newer, this is ${text}; .ci/newer-nats brings one`,
      }
}

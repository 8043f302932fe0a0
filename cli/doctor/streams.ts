import type { NatsConnection, StreamInfo } from 'nats'
import { checkPartitions, natsReason, STREAM } from '../../engine/mod.js'
import { bytesText } from '../output.js'
import type { Finding } from './finding.js'

/** A stream is reported from this fill level on. */
const kFull = 0.7

/** Checks how full the streams are that refuse publishers when full, and the dead letters. */
export async function streamChecks(connection: NatsConnection): Promise<Finding[]> {
  try {
    const manager = await connection.jetstreamManager({ timeout: 5_000 })
    const streams = new Map<string, StreamInfo>()
    for await (const info of manager.streams.list()) streams.set(info.config.name, info)
    const findings: Finding[] = []
    for (const [prefix, remedy] of [
      ['FRAMES-', 'add engines or workers, or raise nats.framesMaxBytes; /readyz reports what an engine waits for'],
      ['DETECTIONS-', 'add engines; /readyz reports what an engine waits for'],
      [STREAM.dead, 'run "platestream dead list", then redrive or drop them'],
    ] as const) {
      const found = [...streams.values()].filter(({ config }) => config.name.startsWith(prefix))
      if (found.length === 0)
        findings.push({
          what: `stream ${prefix.replace(/-$/, '')}`,
          ok: false,
          detail: 'does not exist',
          remedy: 'start an engine, which creates it',
          neededFor: 'some',
        })
      else findings.push(fill(prefix, found, remedy))
    }
    findings.push(await mapping(connection))
    const behind = [...streams.values()]
      .filter(({ cluster }) => cluster?.replicas?.some(({ current, offline }) => !current || offline))
      .map(({ config }) => config.name)
    if (behind.length > 0)
      findings.push({
        what: 'stream replicas',
        ok: false,
        detail: `not up to date: ${behind.join(', ')}`,
        remedy: 'stop no other NATS server until they are; if it lasts, check the logs of the NATS servers',
        neededFor: 'some',
      })
    return findings
  } catch (error) {
    return [
      {
        what: 'JetStream',
        ok: false,
        detail: natsReason(error),
        remedy: 'enable JetStream (nats-server -js) and check its disk',
        neededFor: 'some',
      },
    ]
  }
}

/** The fullest of the streams of an entrance: its partition refuses publishers first. */
function fill(prefix: string, streams: readonly StreamInfo[], remedy: string): Finding {
  const partOf = ({ config, state }: StreamInfo) => (config.max_bytes > 0 ? state.bytes / config.max_bytes : 0)
  const { config, state } = streams.reduce((a, b) => (partOf(b) > partOf(a) ? b : a))
  const messages = streams.reduce((sum, one) => sum + one.state.messages, 0)
  const limit = config.max_bytes > 0 ? ` of ${bytesText(config.max_bytes)}` : ''
  const all =
    streams.length > 1 ? ` in ${config.name}, the fullest of ${streams.length}; ${messages} messages in all` : ''
  return {
    what: `stream ${prefix.replace(/-$/, '')}`,
    ok: partOf({ config, state } as StreamInfo) < kFull,
    detail: `${state.messages} messages, ${bytesText(state.bytes)}${limit}${all}`,
    remedy,
    neededFor: 'some',
  }
}

async function mapping(connection: NatsConnection): Promise<Finding> {
  const { partitions, problems } = await checkPartitions(connection)
  return {
    what: 'subject mapping',
    ok: problems.length === 0,
    detail: problems.join('; ') || `publishers are mapped to ${partitions} partitions`,
    remedy: 'publishers are refused: set the mapping that "platestream partitions" prints, and reload the NATS server',
    neededFor: 'some',
  }
}

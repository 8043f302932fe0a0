import type { NatsConnection, StreamInfo } from 'nats'
import { natsReason, STREAM } from '../../engine/mod.js'
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
    for (const [name, remedy] of [
      [STREAM.frames, 'add engines or workers, or raise nats.framesMaxBytes; /readyz reports what an engine waits for'],
      [STREAM.detections, 'add engines; /readyz reports what an engine waits for'],
      [STREAM.dead, 'run "platestream dead list", then redrive or drop them'],
    ] as const) {
      const info = streams.get(name)
      if (!info)
        findings.push({
          what: `stream ${name}`,
          ok: false,
          detail: 'does not exist',
          remedy: 'start an engine, which creates it',
          neededFor: 'some',
        })
      else findings.push(fill(info, remedy))
    }
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

function fill({ config, state }: StreamInfo, remedy: string): Finding {
  const part = config.max_bytes > 0 ? state.bytes / config.max_bytes : 0
  const limit = config.max_bytes > 0 ? ` of ${bytesText(config.max_bytes)}` : ''
  const detail = `${state.messages} messages, ${bytesText(state.bytes)}${limit}`
  return { what: `stream ${config.name}`, ok: part < kFull, detail, remedy, neededFor: 'some' }
}

import type { NatsConnection, StreamInfo } from 'nats'
import { natsReason, STREAM } from '../../engine/mod.js'
import { bytesText } from '../output.js'
import type { Finding } from './checks.js'

/** A stream that refuses when it is full is worth a word from here on. */
const kFull = 0.7

/** How full the streams are that refuse publishers when they are full, and whether dead letters wait for somebody. */
export async function streamChecks(connection: NatsConnection): Promise<Finding[]> {
  try {
    const manager = await connection.jetstreamManager({ timeout: 5_000 })
    const streams = new Map<string, StreamInfo>()
    for await (const info of manager.streams.list()) streams.set(info.config.name, info)
    const findings: Finding[] = []
    for (const [name, remedy] of [
      [
        STREAM.frames,
        'add engines or workers, or raise nats.framesMaxBytes; /readyz says whether an engine waits for something',
      ],
      [STREAM.detections, 'add engines; /readyz says whether one waits for something'],
      [STREAM.dead, 'platestream dead list; then redrive or drop'],
    ] as const) {
      const info = streams.get(name)
      if (!info)
        findings.push({
          what: `stream ${name}`,
          ok: false,
          detail: 'is not there',
          remedy: 'start an engine: it makes what is missing',
          neededFor: 'some',
        })
      else findings.push(fill(info, remedy))
    }
    const behind = [...streams.values()]
      .filter(({ cluster }) => cluster?.replicas?.some(({ current, offline }) => !current || offline))
      .map(({ config }) => config.name)
    if (behind.length > 0)
      findings.push({
        what: 'copies of streams',
        ok: false,
        detail: `not all are up to date: ${behind.join(', ')}`,
        remedy: 'wait before another NATS server is stopped; if it lasts, look at the logs of the three',
        neededFor: 'some',
      })
    return findings
  } catch (error) {
    return [
      {
        what: 'JetStream',
        ok: false,
        detail: natsReason(error),
        remedy: 'switch JetStream on (nats-server -js), and look at its disk',
        neededFor: 'some',
      },
    ]
  }
}

function fill({ config, state }: StreamInfo, remedy: string): Finding {
  const part = config.max_bytes > 0 ? state.bytes / config.max_bytes : 0
  const detail = `${state.messages} messages, ${bytesText(state.bytes)}${config.max_bytes > 0 ? ` of ${bytesText(config.max_bytes)}` : ''}`
  return { what: `stream ${config.name}`, ok: part < kFull, detail, remedy, neededFor: 'some' }
}

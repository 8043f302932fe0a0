import type { NatsConnection } from 'nats'
import type { EngineStatus } from '../../engine/mod.js'
import { mean } from '../report/statistics.js'

export interface EngineMemory {
  /** The latest report; 0 before the first. */
  lastBytes(): number
  /** Means of the first and the last tenth of the samples after the warm-up, MB. */
  settled(): { startMb: number; endMb: number }
}

/** Collects the memory that the engine reports once a second. */
export function watchEngineMemory(connection: NatsConnection): EngineMemory {
  const samples: number[] = []
  void (async () => {
    for await (const message of connection.subscribe('status.engine.*'))
      samples.push(message.json<EngineStatus>().gauges.memory_bytes ?? 0)
  })()
  const megabytes = (bytes: readonly number[]) => Math.round(mean(bytes) / 1e6)
  return {
    lastBytes: () => samples.at(-1) ?? 0,
    settled: () => {
      // The first tenth is warm-up: pools fill, V8 tiers up.
      const settled = samples.slice(Math.floor(samples.length / 10))
      const part = Math.max(1, Math.floor(settled.length / 10))
      return { startMb: megabytes(settled.slice(0, part)), endMb: megabytes(settled.slice(-part)) }
    },
  }
}

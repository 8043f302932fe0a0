/**
 * What an engine publishes once a second on `status.engine.<instance>`; the gateway serves it as /readyz and /metrics.
 */
export interface EngineStatus {
  instance: string
  /** RFC 3339, wall clock. A status older than 5 s means that the engine is down. */
  at: string
  /** What it waits for, empty when all is well: `{ nats: "...", clickhouse: "..." }`. */
  waiting: Record<string, string>
  /**
   * Version of the rule (`ruleVersion`) by which reads are matched against each hot list. Missing in the status of an
   * older version.
   */
  lists?: Record<string, string>
  /** What does not advance although it should. Missing in the status of an older version. */
  held?: HeldPartition[]
  /** Why partitions stopped, or did not open, when it had them last; another engine may have them now. */
  failing?: Record<string, string>
  /** The partitions that it holds, by name: `frames-4-2`. */
  partitions: string[]
  /** Every partition that some engine must hold. */
  allPartitions: string[]
  workers: number
  module: string
  model: string
  /** Monotonic counters since the start of the process, by metric name (see docs/metrics.md), e.g. `frames_total`. */
  counters: Record<string, number>
  /** Gauges: frames waiting on the stream, frames in flight, seconds of delay, open passes, age of each list ... */
  gauges: Record<string, number>
  /** Names of bounds that acted since the last status, for the log and the metric. */
  bounds: string[]
}

/** A partition whose messages are not done with, or stay on its stream although they are. */
export interface HeldPartition {
  partition: string
  what: 'commit' | 'trim'
  /** For how long, ms. */
  ms: number
  /** What holds it up, in words, without a full stop. */
  by: string
}

/** A read as it is published for live display on `reads.<camera>`. */
export interface LiveRead {
  readId: string
  version: number
  plate: string
  confidence: number
  region: string
  camera: string
  cameraName: string
  lat: number
  lon: number
  ts: string
  tsLast: string
  frames: number
  direction: string
  crop?: { segment: string; offset: number; length: number }
  /** Hits that this read made, by list id. */
  lists: string[]
}

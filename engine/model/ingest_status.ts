/** What an ingest process publishes once a second on `status.ingest.<instance>`. */
export interface IngestStatus {
  instance: string
  /** RFC 3339, wall clock. A status older than 5 s means that the process is down. */
  at: string
  /** Of every camera that it pulls, by id. */
  cameras: Record<string, LiveCameraState>
  /** What it waits for, empty when all is well: `{ nats: "..." }`. */
  waiting: Record<string, string>
  counters: Record<string, number>
  gauges: Record<string, number>
  /** Names of bounds that acted since the last status. */
  bounds: string[]
}

/** How a camera is that an ingest process pulls. */
export interface LiveCameraState {
  state: 'connecting' | 'connected' | 'failed'
  /** Since when, RFC 3339. */
  since: string
  /** Why it is not connected, in words, without a full stop. No address, no credentials. */
  reason?: string
  /** What it sends: `h264`, `h265`, `jpeg` over RTP, `mjpeg` or `snapshot` over HTTP. */
  source?: string
  width?: number
  height?: number
  /** Frames a second that the camera sends, and that are wanted, over the last seconds. */
  cameraFps?: number
  fps?: number
  /** When the last frame was taken, RFC 3339. */
  lastFrameAt?: string
  /** Whose clock frames have: the camera's, or ours on arrival. */
  clock?: 'stream' | 'arrival'
  /** The camera's clock minus ours, ms, where the stream has its time. */
  clockOffsetMs?: number
  /** What is wrong with the picture. */
  view?: ViewFault[]
  /** Frames that wait on disk. */
  spooled: number
}

/** Hardly any contrast (covered, dark, white); no sharp edges any more; another view than before. */
export type ViewFault = 'blocked' | 'blurred' | 'moved'

import type { Detection } from '../../wasm/mod.js'
import type { ErrorCode, ErrorDetails } from '../errors.js'

/** What one frame gave. */
export interface Recognition {
  width: number
  height: number
  /** Milliseconds in the worker; `recognize` is `find` + `read`. */
  ms: { decode: number; recognize: number; find: number; read: number }
  /** Most confident first. */
  detections: Detection[]
}

/** Pool to worker. The JPEG is transferred. */
export interface Job {
  id: number
  jpeg: ArrayBuffer
}

/** Worker to pool: `ready` once after warming up, then one answer for each job, in order. */
export type WorkerMessage =
  | { ready: { moduleId: string; modelId: string } }
  | { failed: { code: ErrorCode; details: ErrorDetails } }
  | ({ id: number } & Recognition)
  | { id: number; error: { code: ErrorCode; message: string; details: ErrorDetails } }

/** What a worker is started with. The bytes are shared by all workers of a pool. */
export interface WorkerSetup {
  wasm: Uint8Array
  model: Uint8Array
}

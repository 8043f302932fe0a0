import type { Detection } from '../../wasm/mod.js'
import type { ErrorCode, ErrorDetails } from '../errors.js'

/** The result of one frame. */
export interface Recognition {
  width: number
  height: number
  /** Milliseconds in the worker; `recognize` is `find` + `read`. */
  ms: { decode: number; recognize: number; find: number; read: number }
  /** Most confident first. */
  detections: Detection[]
  /** Whether the frame is damaged and was read in part; its detections have a lower confidence. */
  damaged: boolean
}

/** Pool to worker. The JPEG is transferred. */
export interface Job {
  id: number
  jpeg: ArrayBuffer
}

/** Worker to pool: `ready` once after the warm-up, then one answer for each job, in order. */
export type WorkerMessage =
  | { ready: { moduleId: string; modelId: string } }
  | { failed: { code: ErrorCode; details: ErrorDetails } }
  | ({ id: number } & Recognition)
  | { id: number; error: { code: ErrorCode; message: string; details: ErrorDetails } }

/** The input of a new worker. */
export interface WorkerSetup {
  wasm: Uint8Array
  model: Uint8Array
  /** One shared word: IN_NATIVE_CODE while the worker decodes. */
  phase: Int32Array
}

/**
 * A worker must not be terminated inside the native decoder: its N-API calls would fail uncaught, which ends the whole
 * process. The worker marks the time it spends there, and `retire` waits for its end.
 */
export const IN_NATIVE_CODE = 1
export const INTERRUPTIBLE = 0

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

/** What a worker is started with. */
export interface WorkerSetup {
  wasm: Uint8Array
  model: Uint8Array
  /** One shared word: IN_NATIVE_CODE while the worker decodes. */
  phase: Int32Array
}

/**
 * A worker must not be terminated inside the native decoder: its N-API calls would fail with nobody to catch them,
 * which ends the whole process. The worker says when it is in there, and whoever wants to end it waits (retire.ts).
 */
export const IN_NATIVE_CODE = 1
export const INTERRUPTIBLE = 0

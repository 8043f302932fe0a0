import type { Detection } from '../../wasm/browser.js'

/** Page to worker. A file is handed over by reference: nothing is copied, nothing is sent. */
export interface Job {
  id: number
  file: Blob
}

/** What went wrong, with a code of docs/errors.md where it is one of ours. */
export interface Fault {
  code?: string
  message: string
  details: Readonly<Record<string, string | number>>
}

/** What one picture gave. Quads are in pixels of the picture as it is shown. */
export interface Answer {
  width: number
  height: number
  /** Milliseconds in the worker. */
  ms: { decode: number; find: number; read: number }
  detections: Detection[]
  /** Each plate as the reader sees it: straightened, grey. */
  crops: ImageData[]
}

/** Worker to page: `ready` or `failed` once, then one answer for each job, in order. */
export type WorkerMessage =
  | { ready: { module: string; model: string; name: string } }
  | { failed: Fault }
  | { id: number; answer: Answer }
  | { id: number; fault: Fault }

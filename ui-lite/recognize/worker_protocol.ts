import type { Detection } from '../shared/recognizer.js'

/** Page to worker. The file is passed by reference: nothing is copied, nothing is sent over the network. */
export interface RecognitionJob {
  id: number
  file: Blob
}

/** What went wrong, with a code of docs/errors.md if Platestream reports it. */
export interface RecognitionFault {
  code?: string
  message: string
  details: Readonly<Record<string, string | number>>
}

/** The result for one picture. Quads are in pixels of the picture as shown. */
export interface RecognitionResult {
  width: number
  height: number
  /** Time spent in the worker, milliseconds. */
  ms: { decode: number; find: number; read: number }
  detections: Detection[]
  /** Each plate as the reader sees it: rectified, grey. */
  crops: ImageData[]
  /** Only of a damaged picture, which is read in part: the part of it that is whole, 0..1. */
  damagedShare?: number
}

/** Worker to page: `ready` or `failed` once, then one result or fault per job, in order. */
export type WorkerMessage =
  | { ready: { module: string; model: string; name: string } }
  | { failed: RecognitionFault }
  | { id: number; result: RecognitionResult }
  | { id: number; fault: RecognitionFault }

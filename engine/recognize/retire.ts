import type { Worker } from 'node:worker_threads'
import { sleep } from '../runtime/backoff.js'
import { IN_NATIVE_CODE } from './messages.js'

/** How often to check whether the worker has left the decoder, milliseconds. */
const POLL_MS = 5

/**
 * Terminates a worker that gets no more jobs, as soon as it is outside native code (messages.ts). A decode always ends:
 * the number of pixels and scans is bounded before it begins.
 */
export async function retire(worker: Worker, phase: Int32Array): Promise<void> {
  while (Atomics.load(phase, 0) === IN_NATIVE_CODE) await sleep(POLL_MS)
  await worker.terminate()
}

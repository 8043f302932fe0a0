import { parentPort, workerData } from 'node:worker_threads'
import { enlarged, Recognizer, WasmError } from '../../wasm/mod.js'
import { AlprError, codeOf, reasonOf } from '../errors.js'
import { decodeJpeg, type Decoded } from './decode.js'
import { IN_NATIVE_CODE, INTERRUPTIBLE, type Job, type WorkerMessage, type WorkerSetup } from './messages.js'
import { warmUp } from './warm_up.js'
import { wholePlates } from './whole_plates.js'

/**
 * A recognition thread: one Recognizer, one frame at a time, no state between frames. It answers every job, even one
 * that it cannot decode; only a crash or the pool's time limit ends it.
 */
const port = parentPort!
const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

const { wasm, model, phase } = workerData as WorkerSetup

try {
  const recognizer = await Recognizer.create(wasm, model)
  warmUp(recognizer)
  port.on('message', (job: Job) => answer(recognizer, job))
  send({ ready: { moduleId: recognizer.moduleId, modelId: recognizer.modelId } })
} catch (error) {
  // A module or model that does not load would not load in the next worker either: the pool gives up.
  if (error instanceof WasmError && error.code === 'ALPR_ERR_MODULE_ABI')
    send({ failed: { code: error.code, details: { ...error.details } } })
  else send({ failed: { code: 'ALPR_ERR_MODEL_INVALID', details: { reason: reasonOf(error) } } })
}

function answer(recognizer: Recognizer, { id, jpeg }: Job): void {
  try {
    const start = performance.now()
    const { width, height, reduced, damage } = decodeGuarded(new Uint8Array(jpeg), recognizer)
    const decoded = performance.now()
    const detections = enlarged(wholePlates(recognizer.recognize(width, height), recognizer), reduced)
    // a damaged frame without a plate is no empty frame
    if (damage && detections.length === 0) throw new AlprError(damage.code, { reason: damage.reason })
    const { find, read } = recognizer.timings
    const ms = { decode: decoded - start, recognize: performance.now() - decoded, find, read }
    send(
      { id, width: width * reduced, height: height * reduced, ms, detections, damaged: damage !== undefined },
      detections.flatMap((d) => d.positions.map((p) => p.buffer as ArrayBuffer)),
    )
  } catch (error) {
    // A trap: this instance can no longer be trusted.
    if (error instanceof Error && error.name === 'RuntimeError') throw error
    const details = error instanceof AlprError ? error.details : {}
    send({ id, error: { code: codeOf(error), message: reasonOf(error), details } })
  }
}

function decodeGuarded(jpeg: Uint8Array, recognizer: Recognizer): Decoded {
  Atomics.store(phase, 0, IN_NATIVE_CODE)
  try {
    return decodeJpeg(jpeg, recognizer)
  } finally {
    Atomics.store(phase, 0, INTERRUPTIBLE)
  }
}

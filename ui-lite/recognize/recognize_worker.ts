import { decodePicture, openRecognizer, WasmError, type Recognizer } from '../../wasm/browser.js'
import type { Answer, Fault, Job, WorkerMessage } from './worker_protocol.js'
import { rectify } from './rectify_plate.js'

/**
 * Recognition beside the page, so that it never freezes. Module and model are fetched once, from beside this file; no
 * picture is sent anywhere.
 */
const send = (message: WorkerMessage, transfer: Transferable[] = []) => postMessage(message, { transfer })

const recognizer = openRecognizer()
recognizer.then(
  ({ moduleId, modelId, model }) =>
    send({ ready: { module: moduleId, model: modelId, name: `${model.name} ${model.version}` } }),
  (error: unknown) => send({ failed: faultOf(error) }),
)

// one picture after the other: decoding waits, and the recognizer has room for one
let last: Promise<void> = Promise.resolve()
addEventListener('message', ({ data }: MessageEvent<Job>) => {
  last = last.then(() => answer(data))
})

async function answer({ id, file }: Job): Promise<void> {
  try {
    const found = await recognize(await recognizer, new Uint8Array(await file.arrayBuffer()))
    send(
      { id, answer: found },
      found.crops.map(({ data }) => data.buffer),
    )
  } catch (error) {
    send({ id, fault: faultOf(error) })
  }
}

async function recognize(recognizer: Recognizer, bytes: Uint8Array): Promise<Answer> {
  const start = performance.now()
  const { width, height } = await decodePicture(bytes, recognizer)
  const decode = performance.now() - start
  const detections = recognizer.recognize(width, height)
  const ms = { decode, ...recognizer.timings }
  const luma = recognizer.lumaBuffer(width, height)
  return { width, height, ms, detections, crops: detections.map(({ quad }) => rectify(luma, width, height, quad)) }
}

function faultOf(error: unknown): Fault {
  if (error instanceof WasmError) return { code: error.code, message: error.message, details: error.details }
  return { message: error instanceof Error ? error.message : String(error), details: {} }
}

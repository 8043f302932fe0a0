/**
 * Recognition in a worker, so that the page stays responsive. The worker fetches module and model once, from its own
 * folder. It sends no picture anywhere.
 */
import { decodePicture, enlarged, openRecognizer, WasmError, type Recognizer } from '../../wasm/browser.js'
import { rectifyPlate } from './rectify_plate.js'
import type { RecognitionFault, RecognitionJob, RecognitionResult, WorkerMessage } from './worker_protocol.js'

const send = (message: WorkerMessage, transfer: Transferable[] = []) => postMessage(message, { transfer })

const recognizer = openRecognizer()
recognizer.then(
  ({ moduleId, modelId, model }) =>
    send({ ready: { module: moduleId, model: modelId, name: `${model.name} ${model.version}` } }),
  (error: unknown) => send({ failed: faultOf(error) }),
)

// One picture at a time: decoding is asynchronous, and the recognizer has memory for one picture.
let last: Promise<void> = Promise.resolve()
addEventListener('message', ({ data }: MessageEvent<RecognitionJob>) => {
  last = last.then(() => run(data))
})

async function run({ id, file }: RecognitionJob): Promise<void> {
  try {
    const result = await recognize(await recognizer, new Uint8Array(await file.arrayBuffer()))
    send(
      { id, result },
      result.crops.map(({ data }) => data.buffer),
    )
  } catch (error) {
    send({ id, fault: faultOf(error) })
  }
}

async function recognize(recognizer: Recognizer, bytes: Uint8Array): Promise<RecognitionResult> {
  const start = performance.now()
  const { width, height, reduced, damage } = await decodePicture(bytes, recognizer)
  const decode = performance.now() - start
  const detections = recognizer.recognize(width, height)
  if (damage && detections.length === 0) throw new WasmError(damage.code, { reason: damage.reason })
  const ms = { decode, ...recognizer.timings }
  const luma = recognizer.lumaBuffer(width, height)
  return {
    width: width * reduced,
    height: height * reduced,
    ms,
    detections: enlarged(detections, reduced),
    crops: detections.map(({ quad }) => rectifyPlate(luma, width, height, quad)),
    ...(damage ? { damagedShare: damage.share } : {}),
  }
}

function faultOf(error: unknown): RecognitionFault {
  if (error instanceof WasmError) return { code: error.code, message: error.message, details: error.details }
  return { message: error instanceof Error ? error.message : String(error), details: {} }
}

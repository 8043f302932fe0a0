import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { decodeJpeg } from '../../engine/mod.js'
import { loadWasmFile, Recognizer } from '../../wasm/internal_mod.js'

/** Frames after which V8 has optimised the module. */
const WARM_UP = 60

/**
 * CPU of decoding and recognizing a frame, ms: on one thread of an otherwise idle machine, and on as many threads as
 * the engine has workers, each with all frames. Cores share caches, clock and often their arithmetic units, so a frame
 * costs more when all cores recognize, with or without an engine around them.
 */
export async function recognizerAlone(jpegs: readonly Uint8Array[]): Promise<{ oneThread: number; allCores: number }> {
  return { oneThread: await cpuPerFrame(jpegs, 1), allCores: await cpuPerFrame(jpegs, availableParallelism()) }
}

async function cpuPerFrame(jpegs: readonly Uint8Array[], threads: number): Promise<number> {
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url), { workerData: jpegs }))
  const messageOf = (worker: Worker) =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve).once('error', reject)
    })
  const messageOfEach = () => Promise.all(workers.map(messageOf))
  await messageOfEach()
  const before = process.cpuUsage()
  const done = messageOfEach()
  for (const worker of workers) worker.postMessage('go')
  await done
  const { user, system } = process.cpuUsage(before)
  await Promise.all(workers.map((worker) => worker.terminate()))
  return (user + system) / 1_000 / (jpegs.length * threads)
}

if (!isMainThread) {
  const jpegs = workerData as Uint8Array[]
  const recognizer = await Recognizer.create(
    await loadWasmFile('recognizer.wasm'),
    await loadWasmFile('platestream.psm'),
  )
  const recognize = (jpeg: Uint8Array) => {
    const { width, height } = decodeJpeg(jpeg, recognizer)
    recognizer.recognize(width, height)
  }
  jpegs.slice(0, WARM_UP).forEach(recognize)
  parentPort!.once('message', () => {
    jpegs.forEach(recognize)
    parentPort!.postMessage('done')
  })
  parentPort!.postMessage('warm')
}

import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { decodeJpeg } from '../../engine/mod.js'
import { loadWasmFile } from '../../wasm/load_node.js'
import { Recognizer } from '../../wasm/mod.js'

const WARM_UP = 60

/**
 * CPU of decoding and recognizing a frame, ms: on one thread with the machine idle beside it, and on as many threads as
 * the engine has workers, each with all frames. Cores share caches, clock and often their arithmetic units, so that a
 * frame costs more where all cores recognize, with or without an engine round them.
 */
export async function recognizerAlone(jpegs: readonly Uint8Array[]): Promise<{ oneThread: number; allCores: number }> {
  return { oneThread: await cpuOf(jpegs, 1), allCores: await cpuOf(jpegs, availableParallelism()) }
}

async function cpuOf(jpegs: readonly Uint8Array[], threads: number): Promise<number> {
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url), { workerData: jpegs }))
  const said = () =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve, reject) => {
            worker.once('message', resolve).once('error', reject)
          }),
      ),
    )
  await said()
  const before = process.cpuUsage()
  const done = said()
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
  const look = (jpeg: Uint8Array) => {
    const { width, height } = decodeJpeg(jpeg, recognizer)
    recognizer.recognize(width, height)
  }
  jpegs.slice(0, WARM_UP).forEach(look)
  parentPort!.once('message', () => {
    jpegs.forEach(look)
    parentPort!.postMessage('done')
  })
  parentPort!.postMessage('warm')
}

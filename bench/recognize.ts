import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { decodeJpeg } from '../engine/recognize/decode.js'
import { warmUp } from '../engine/recognize/warm_up.js'
import { loadWasmFile } from '../wasm/load_node.js'
import { Recognizer } from '../wasm/mod.js'
import { measuringPhotos, photoFolder } from './photos.js'

export const summary = 'milliseconds for one frame: decode, find, read; one thread'

/** The set whose frames are measured: US scenes, most of them 1280x720. */
const SET = 'openalpr-e2e-us'

/**
 * Question: what does one frame cost on one core, and where does the time go?
 *
 * Method: the 1280x720 scenes of one set (or `--picture FILE`), each decoded and recognised in turn, `--rounds` times over after a
 * warm-up. CPU time of the process (V8's compiler threads included) beside the wall clock, since other work on the machine stretches
 * the latter. Sorted by stage; p95 over all frames and rounds.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args, options: { picture: { type: 'string' }, rounds: { type: 'string', default: '10' }, model: { type: 'string' }, cascade: { type: 'string', default: '{}' } },
  })
  const frames = values.picture ? [new Uint8Array(readFileSync(values.picture))] : sceneFrames()
  const model = values.model ? new Uint8Array(readFileSync(values.model)) : await loadWasmFile('platestream.psm')
  const recognizer = await Recognizer.create(await loadWasmFile('recognizer.wasm'), model, { cascade: JSON.parse(values.cascade!) })
  warmUp(recognizer)
  for (const frame of frames) {
    const { width, height } = decodeJpeg(frame, recognizer)
    recognizer.recognize(width, height)
  }
  const stages = { decode: [] as number[], find: [] as number[], read: [] as number[], recognize: [] as number[] }
  const withPlate: number[] = []
  const start = process.cpuUsage()
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const frame of frames) {
      const begin = performance.now()
      const { width, height } = decodeJpeg(frame, recognizer)
      stages.decode.push(performance.now() - begin)
      const detections = recognizer.recognize(width, height)
      const { find, read } = recognizer.timings
      stages.find.push(find)
      stages.read.push(read)
      stages.recognize.push(find + read)
      if (detections.length === 1) withPlate.push(find + read)
    }
  }
  const used = process.cpuUsage(start)
  const cpuMs = (used.user + used.system) / 1000 / (frames.length * Number(values.rounds))
  const rows = Object.entries({ ...stages, 'one plate': withPlate }).map(([stage, times]) => ({ stage, ...spread(times) }))
  console.log(`${frames.length} frames x ${values.rounds} rounds, model ${recognizer.modelId}`)
  for (const row of rows) {
    console.log(`${row.stage.padEnd(10)} best ${row.best.toFixed(2)}  median ${row.median.toFixed(2)}  p95 ${row.p95.toFixed(2)} ms  (${row.of})`)
  }
  console.log(`cpu in all  ${cpuMs.toFixed(2)} ms a frame`)
  return { benchmark: 'recognize', model: recognizer.modelId, module: recognizer.moduleId, cpuMs, stages: rows }
}

function sceneFrames(): Uint8Array[] {
  const folder = photoFolder()
  return measuringPhotos(folder).filter((p) => p.set === SET && p.width === 1280 && p.height === 720)
    .map((p) => new Uint8Array(readFileSync(join(folder, p.file))))
}

/** Milliseconds, sorted into best, median and 95th percentile. */
function spread(times: number[]): { best: number; median: number; p95: number; of: number } {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
  return { best: at(0), median: at(0.5), p95: at(0.95), of: sorted.length }
}

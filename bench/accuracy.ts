import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { decodePicture } from '../engine/recognize/decode_file.js'
import { reasonOf } from '../engine/errors.js'
import { loadWasmFile } from '../wasm/load_node.js'
import { Recognizer, type Detection } from '../wasm/mod.js'
import { measuringPhotos, photoFolder, type Photo } from './photos.js'

export const summary = 'exact plate texts on photos never trained on, by set'

/** Sets of whole scenes that are measured, and the one without a plate. */
const SETS = ['openalpr-e2e-us', 'us-51-closeups', 'mcm-us16', 'openalpr-e2e-eu', 'french-lpd', 'openalpr-e2e-br', 'openimages-lp']
const US = SETS.slice(0, 3)
const WITHOUT_PLATE = 'openalpr-neg'

interface Count {
  plates: number
  published: number
  corrected: number
  folded: number
  /** The truth is the best text or one of the alternates. */
  amongAlternates: number
  found: number
  boxes: number
}

const none = (): Count => ({ plates: 0, published: 0, corrected: 0, folded: 0, amongAlternates: 0, found: 0, boxes: 0 })

/**
 * Question: how many plates are read exactly, end to end, on photos that nobody trained on?
 *
 * Method: the `val` part of the photo collection through decoding and the recognizer as the product runs them. Right = the best text of
 * any returned plate equals the truth: as published, with corrected labels, and corrected with O = 0 and I = 1 taken for the same.
 * `found`: a returned quad holds the centre of the plate's box. In pictures without a plate everything returned is a false read.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string' },
      set: { type: 'string', multiple: true },
      cascade: { type: 'string', default: '{}' },
      errors: { type: 'boolean', default: false },
      dump: { type: 'boolean', default: false },
    },
  })
  const folder = photoFolder()
  const photos = measuringPhotos(folder)
  const model = values.model ? new Uint8Array(readFileSync(values.model)) : await loadWasmFile('platestream.psm')
  const recognizer = await Recognizer.create(await loadWasmFile('recognizer.wasm'), model, { cascade: JSON.parse(values.cascade!) })
  console.log(`model ${recognizer.modelId}, module ${recognizer.moduleId}`)
  const bySet: Record<string, Count> = {}
  for (const set of values.set ?? SETS) {
    if (set === WITHOUT_PLATE) continue
    const count = (bySet[set] = none())
    for (const photo of photos.filter((p) => p.set === set)) {
      const detections = await look(recognizer, folder, photo)
      if (values.dump) console.log(JSON.stringify({ file: photo.file, truth: photo.plates.map((p) => p.text), read: detections.map((d) => [d.plate, d.confidence, d.quad]) }))
      judge(photo, detections, count, values.errors)
    }
    printCount(set, count)
  }
  const us = US.filter((set) => bySet[set])
  if (us.length > 1) printCount('all US', us.map((set) => bySet[set]!).reduce(add))
  const falseReads = await lookAtNothing(recognizer, folder, photos.filter((p) => p.set === WITHOUT_PLATE), values.errors)
  console.log(`pictures without a plate: ${falseReads.pictures} of ${falseReads.of} with a read, ${falseReads.reads} reads`)
  return { benchmark: 'accuracy', model: recognizer.modelId, module: recognizer.moduleId, sets: bySet, falseReads }
}

async function look(recognizer: Recognizer, folder: string, photo: Photo): Promise<Detection[]> {
  try {
    const { width, height } = await decodePicture(new Uint8Array(readFileSync(join(folder, photo.file))), recognizer)
    return recognizer.recognize(width, height)
  } catch (error) {
    console.error(`${photo.file}: ${reasonOf(error)}`)
    return []
  }
}

const fold = (text: string): string => text.replaceAll('O', '0').replaceAll('I', '1')

function judge(photo: Photo, detections: Detection[], count: Count, sayErrors: boolean): void {
  const texts = detections.map((d) => d.plate)
  for (const plate of photo.plates) {
    if (!plate.text) continue
    const text = plate.text
    count.plates += 1
    count.published += Number(texts.includes(plate.text_orig ?? text))
    count.corrected += Number(texts.includes(text))
    count.folded += Number(texts.map(fold).includes(fold(text)))
    count.amongAlternates += Number(detections.some((d) => d.plate === text || d.alternates.some((a) => a.plate === text)))
    if (plate.box) {
      const [x, y, w, h] = plate.box
      count.boxes += 1
      count.found += Number(detections.some((d) => holds(d.quad, x + w / 2, y + h / 2)))
    }
    if (sayErrors && !texts.includes(text)) {
      console.log(`  ${photo.file} ${text}: ${detections.map((d) => `${d.plate} ${d.confidence.toFixed(3)}`).join(', ') || 'nothing'}`)
    }
  }
}

/** Is the point inside the quad's bounding box? */
function holds(quad: Detection['quad'], x: number, y: number): boolean {
  const xs = quad.map((c) => c[0])
  const ys = quad.map((c) => c[1])
  return x >= Math.min(...xs) && x <= Math.max(...xs) && y >= Math.min(...ys) && y <= Math.max(...ys)
}

async function lookAtNothing(recognizer: Recognizer, folder: string, photos: Photo[], sayErrors: boolean) {
  const result = { of: photos.length, pictures: 0, reads: 0 }
  for (const photo of photos) {
    const detections = await look(recognizer, folder, photo)
    result.pictures += Number(detections.length > 0)
    result.reads += detections.length
    if (sayErrors && detections.length > 0) console.log(`  ${photo.file}: ${detections.map((d) => `${d.plate} ${d.confidence.toFixed(3)}`).join(', ')}`)
  }
  return result
}

function add(a: Count, b: Count): Count {
  return Object.fromEntries(Object.entries(a).map(([key, value]) => [key, value + b[key as keyof Count]])) as unknown as Count
}

function printCount(name: string, c: Count): void {
  const share = (n: number, of = c.plates) => `${((100 * n) / Math.max(1, of)).toFixed(1)} %`
  console.log(`${name.padEnd(16)} n ${String(c.plates).padStart(4)}  published ${share(c.published)}  corrected ${share(c.corrected)}  folded ${share(c.folded)}` +
    `  among alternates ${share(c.amongAlternates)}${c.boxes > 0 ? `  found ${share(c.found, c.boxes)} of ${c.boxes}` : ''}`)
}

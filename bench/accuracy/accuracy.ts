import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { reasonOf } from '../../engine/runtime/mod.js'
import { decodePicture } from '../../wasm/node.js'
import { loadWasmFile } from '../../wasm/load_node.js'
import { Recognizer, type Detection } from '../../wasm/mod.js'
import { binsOf, calibrationError, type Stated } from './calibration.js'
import { readClip } from './clips.js'
import { writeContactSheet, type Miss } from './contact_sheet.js'
import { framedPlate, heldOutPhotos, measuringPhotos, photoFolder, type Photo } from './photos.js'
import { judge, lineOf, noTally, sumOf, type Tally } from './tally.js'

export const summary = 'exact plate texts on photos never trained on, by set'

/** Sets of whole scenes, sets of cut-out plates, the set without a plate, the set of clips. */
const SCENES = [
  'openalpr-e2e-us',
  'us-51-closeups',
  'mcm-us16',
  'openalpr-e2e-eu',
  'french-lpd',
  'openalpr-e2e-br',
  'openimages-lp',
]
const US = SCENES.slice(0, 3)
const CROPS = ['openalpr-seg-us', 'openalpr-td-br', 'openalpr-td-eu2', 'argentina-bench']
const WITHOUT_PLATE = 'openalpr-neg'
const CLIPS = 'dutch-video'
/** Plate widths, pixels, by which the US scenes are told apart. */
const WIDTHS = [0, 60, 90, 140, Infinity]

/**
 * Question: how many plates are read exactly, end to end, on pictures that nobody trained on?
 *
 * Method: the `val` part of the photo collection through decoding and the recognizer as the product runs them; cut-out
 * plates stand in the middle of a grey picture of twice their size. Right = the best text of any returned plate equals
 * the truth: as published, with corrected labels, and corrected with O = 0 and I = 1 taken for the same. `found`: a
 * returned quad holds the centre of the plate's box. In pictures without a plate everything returned is a false read.
 * Clips (no clip was ever trained on, so all are used) run through the passes of the product: right = exactly one read,
 * and its text. Calibration: of every plate returned on a fully labelled picture or on one without a plate, was its
 * stated confidence true? `--held-out` asks the held-out rows of the train part instead: constants are chosen by these,
 * and no figure is given from them.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string' },
      set: { type: 'string', multiple: true },
      cascade: { type: 'string', default: '{}' },
      errors: { type: 'boolean', default: false },
      sheet: { type: 'string' },
      'held-out': { type: 'boolean', default: false },
    },
  })
  const folder = photoFolder()
  const photos = values['held-out'] ? heldOutPhotos(folder) : measuringPhotos(folder)
  const model = values.model ? new Uint8Array(readFileSync(values.model)) : await loadWasmFile('platestream.psm')
  const recognizer = await Recognizer.create(await loadWasmFile('recognizer.wasm'), model, {
    cascade: JSON.parse(values.cascade!),
  })
  console.log(`model ${recognizer.modelId}, module ${recognizer.moduleId}`)
  const wanted = (set: string) => !values.set || values.set.includes(set)
  const sets: Record<string, Tally> = {}
  const widths = WIDTHS.slice(1).map(noTally)
  const stated: Stated[] = []
  const misses: Miss[] = []

  for (const set of [...SCENES, ...CROPS].filter(wanted)) {
    const tally = (sets[set] = noTally())
    for (const photo of photos.filter((p) => p.set === set)) {
      const detections = await look(recognizer, folder, photo)
      const labelled = photo.plates.filter((plate): plate is typeof plate & { text: string } => Boolean(plate.text))
      if (labelled.length === photo.plates.length)
        for (const d of detections)
          stated.push({ confidence: d.confidence, right: labelled.some((p) => p.text === d.plate) })
      for (const plate of labelled) {
        const right = judge(tally, photo, plate, detections)
        if (plate.box && US.includes(set))
          judge(widths[WIDTHS.findIndex((w) => w > plate.box![2]) - 1]!, photo, plate, detections)
        if (!right)
          misses.push({
            file: join(folder, photo.file),
            truth: plate.text,
            reads:
              photo.kind === 'plate' ? detections.map(({ plate, confidence }) => ({ plate, confidence })) : detections,
            box: plate.box,
          })
      }
    }
    console.log(lineOf(set, tally))
  }
  if (US.every((set) => sets[set])) {
    console.log(lineOf('all US scenes', sumOf(US.map((set) => sets[set]!))))
    widths.forEach((tally, i) => {
      if (tally.plates > 0) console.log(lineOf(`  ${WIDTHS[i]}-${WIDTHS[i + 1]} px`, tally))
    })
  }

  const nothing = { pictures: 0, withRead: 0, reads: 0 }
  for (const photo of photos.filter((p) => p.set === WITHOUT_PLATE && wanted(WITHOUT_PLATE))) {
    const detections = await look(recognizer, folder, photo)
    nothing.pictures += 1
    nothing.withRead += Number(detections.length > 0)
    nothing.reads += detections.length
    for (const d of detections) stated.push({ confidence: d.confidence, right: false })
    if (values.errors && detections.length > 0) console.log(`  ${photo.file}: ${textOf(detections)}`)
  }
  if (nothing.pictures > 0)
    console.log(
      `pictures without a plate: ${nothing.withRead} of ${nothing.pictures} with a read, ${nothing.reads} reads`,
    )

  const clips = wanted(CLIPS) && !values['held-out'] ? await lookAtClips(recognizer, folder, values.errors) : undefined
  if (stated.length > 0) {
    console.log(`calibration: expected error ${calibrationError(stated).toFixed(3)} over ${stated.length} reads`)
    for (const bin of binsOf(stated))
      console.log(
        `  stated ${bin.from.toFixed(1)}-${bin.to.toFixed(1)}: ${String(bin.reads).padStart(4)} reads, mean ${bin.confidence.toFixed(2)}, right ${bin.right.toFixed(2)}`,
      )
  }
  if (values.errors)
    for (const miss of misses)
      console.log(
        `  ${miss.file.slice(folder.length + 1)} ${miss.truth}: ${miss.reads.map((r) => `${r.plate} ${r.confidence.toFixed(3)}`).join(', ') || 'nothing'}`,
      )
  if (values.sheet) {
    await writeContactSheet(misses, values.sheet)
    console.log(`${misses.length} misses in ${values.sheet}`)
  }
  return {
    benchmark: 'accuracy',
    model: recognizer.modelId,
    module: recognizer.moduleId,
    sets,
    nothing,
    clips,
    calibrationError: calibrationError(stated),
  }
}

/**
 * What the recognizer returns for a photo; for a cut-out plate it is set into a grey picture first. A picture that
 * cannot be decoded has no plate.
 */
async function look(recognizer: Recognizer, folder: string, photo: Photo): Promise<Detection[]> {
  try {
    const file = readFileSync(join(folder, photo.file))
    const { width, height } = await decodePicture(
      photo.kind === 'plate' ? await framedPlate(file, photo.width, photo.height) : new Uint8Array(file),
      recognizer,
    )
    return recognizer.recognize(width, height)
  } catch (error) {
    console.error(`${photo.file}: ${reasonOf(error)}`)
    return []
  }
}

async function lookAtClips(recognizer: Recognizer, folder: string, sayErrors: boolean) {
  const rows = readFileSync(join(folder, 'index.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Photo)
  const clips = rows.filter((row) => row.set === CLIPS && row.plates.length === 1 && row.plates[0]!.text)
  let right = 0
  for (const clip of clips) {
    const reads = await readClip(recognizer, join(folder, clip.file))
    const good = reads.length === 1 && reads[0]!.plate === clip.plates[0]!.text
    right += Number(good)
    if (sayErrors && !good)
      console.log(
        `  ${clip.file} ${clip.plates[0]!.text}: ${reads.map((r) => `${r.plate} (${r.frames} frames, ${r.confidence.toFixed(2)})`).join(', ') || 'nothing'}`,
      )
  }
  console.log(`clips of one vehicle: ${right} of ${clips.length} give exactly one read, and the right one`)
  return { clips: clips.length, right }
}

const textOf = (detections: readonly Detection[]): string =>
  detections.map((d) => `${d.plate} ${d.confidence.toFixed(3)}`).join(', ')

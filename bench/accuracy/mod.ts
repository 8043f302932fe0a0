import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AlprError, reasonOf } from '../../engine/runtime/mod.js'
import { loadWasmFile, Recognizer, type Detection } from '../../wasm/internal_mod.js'
import { decodePicture } from '../../wasm/node.js'
import { defineBenchmark, flag, optionalText, text, choices } from '../benchmark.js'
import { framedPlate, heldOutPhotos, measuringPhotos, photoFolder, type Photo } from '../photos.js'
import { binsOf, calibrationError, type Stated } from './calibration.js'
import { CLIPS, measureClips } from './clips.js'
import { writeContactSheet, type Miss } from './contact_sheet.js'
import { GOAL, measuredOf, type EmptyPictures } from './figures.js'
import { judge, newTally, printTally, sumOf, tallyTable, type Tally } from './tally.js'

/** Sets of whole scenes, sets of cut-out plates, and the set without a plate. */
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
/** Bounds of the plate widths by which the US scenes are divided, pixels. */
const WIDTHS = [0, 60, 90, 140, Infinity]

export const benchmark = defineBenchmark({
  question: 'How many plates are read exactly, end to end, on pictures that no net was trained on?',
  method: `The val part of the photo collection through decoding and the recognizer as the product runs them; a cut-out
    plate is put in the middle of a grey picture of twice its size. Right means that the best text of any returned plate
    equals the truth: as published, with corrected labels, and corrected with O = 0 and I = 1 taken as equal. 'found': a
    returned quad contains the centre of the plate's box. In a picture without a plate, everything returned is a false
    read. Clips (all of them: no net is trained on clips) run through the passes of the product: right means exactly one
    read, with the right text. Calibration: for every plate returned on a fully labelled picture or on one without a
    plate, was its stated confidence true? --held-out uses the held-out rows of the train part instead: constants are
    chosen on these, so no figure may be quoted from them. Needs the photo collection (PLATESTREAM_DATA).`,
  options: {
    model: optionalText('FILE', 'model file (default: the one of this build)'),
    cascade: text('JSON', '{}', 'cascade settings that replace those of the model'),
    set: choices(
      'NAME',
      [...SCENES, ...CROPS, WITHOUT_PLATE, CLIPS],
      'measure this set only; may be repeated (default: all sets)',
    ),
    'held-out': flag(false, 'use the held-out rows of the train part'),
    errors: flag(false, 'print each plate that is not read exactly'),
    sheet: optionalText('FILE', 'write a PNG with a tile per plate that is not read exactly'),
  },
  goals: [
    `read on pictures without a plate: at most ${GOAL.falseReads} %`,
    `clips with one right read: at least ${GOAL.clips} %`,
    `expected calibration error: at most ${GOAL.calibration}`,
  ],
  async run({ model: modelFile, cascade, set: chosen, 'held-out': heldOut, errors, sheet }) {
    const folder = photoFolder()
    const photos = heldOut ? heldOutPhotos(folder) : measuringPhotos(folder)
    const model = modelFile ? new Uint8Array(readFileSync(modelFile)) : await loadWasmFile('platestream.psm')
    const recognizer = await Recognizer.create(await loadWasmFile('recognizer.wasm'), model, {
      cascade: JSON.parse(cascade),
    })
    console.log(`model ${recognizer.modelId}, module ${recognizer.moduleId}`)
    if (!photos.some((photo) => !chosen || chosen.includes(photo.set)) && !chosen?.includes(CLIPS))
      throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `a photo of ${chosen?.join(', ') ?? 'any set'} in ${folder}` })
    const isChosen = (set: string) => !chosen || chosen.includes(set)
    const run: Run = { recognizer, folder, photos, stated: [], misses: [] }
    const sets = await measureSets(run, [...SCENES, ...CROPS].filter(isChosen))
    const nothing = await measureEmptyPictures(run, isChosen(WITHOUT_PLATE), errors)
    const clips = isChosen(CLIPS) && !heldOut ? await measureClips(recognizer, folder, errors) : undefined
    printCalibration(run.stated)
    if (errors) for (const miss of run.misses) printMiss(miss, folder)
    if (sheet) {
      await writeContactSheet(run.misses, sheet)
      console.log(`${run.misses.length} misses in ${sheet}`)
    }
    const { modelId, moduleId } = recognizer
    return measuredOf({
      model: modelId,
      module: moduleId,
      sets,
      nothing,
      clips,
      calibrationError: calibrationError(run.stated),
    })
  },
})

/** What the parts of a run share and collect. */
interface Run {
  recognizer: Recognizer
  folder: string
  photos: Photo[]
  stated: Stated[]
  misses: Miss[]
}

/** Measures the sets, and prints a row per set and, with all US scenes, a row per plate width. */
async function measureSets(run: Run, names: readonly string[]): Promise<Record<string, Tally>> {
  const sets: Record<string, Tally> = {}
  const widths = WIDTHS.slice(1).map(newTally)
  const table = tallyTable()
  for (const set of names) {
    const tally = (sets[set] = newTally())
    for (const photo of run.photos.filter((one) => one.set === set)) await measurePhoto(run, photo, tally, widths)
    printTally(table, set, tally)
  }
  if (US.every((set) => sets[set])) {
    printTally(table, 'all US scenes', sumOf(US.map((set) => sets[set]!)))
    widths.forEach((tally, i) => {
      if (tally.plates > 0) printTally(table, `  ${WIDTHS[i]}-${WIDTHS[i + 1]} px`, tally)
    })
  }
  return sets
}

/** Judges the labelled plates of a photo. @param widths tallies of the US scenes by plate width */
async function measurePhoto(run: Run, photo: Photo, tally: Tally, widths: readonly Tally[]): Promise<void> {
  const detections = await recognize(run, photo)
  const labelled = photo.plates.filter((plate): plate is typeof plate & { text: string } => Boolean(plate.text))
  if (labelled.length === photo.plates.length)
    for (const { plate, confidence } of detections)
      run.stated.push({ confidence, right: labelled.some(({ text }) => text === plate) })
  for (const plate of labelled) {
    const right = judge(tally, photo, plate, detections)
    if (plate.box && US.includes(photo.set))
      judge(widths[WIDTHS.findIndex((width) => width > plate.box![2]) - 1]!, photo, plate, detections)
    if (right) continue
    // The quads of a cut-out plate are in the grey picture, not in the file.
    const reads =
      photo.kind === 'plate' ? detections.map(({ plate, confidence }) => ({ plate, confidence })) : detections
    run.misses.push({ file: join(run.folder, photo.file), truth: plate.text, reads, box: plate.box })
  }
}

async function measureEmptyPictures(run: Run, isChosen: boolean, printErrors: boolean): Promise<EmptyPictures> {
  const nothing = { pictures: 0, withRead: 0, reads: 0 }
  if (!isChosen) return nothing
  for (const photo of run.photos.filter(({ set }) => set === WITHOUT_PLATE)) {
    const detections = await recognize(run, photo)
    nothing.pictures += 1
    nothing.withRead += Number(detections.length > 0)
    nothing.reads += detections.length
    for (const { confidence } of detections) run.stated.push({ confidence, right: false })
    if (printErrors && detections.length > 0) console.log(`  ${photo.file}: ${readsText(detections)}`)
  }
  const { pictures, withRead, reads } = nothing
  if (pictures > 0) console.log(`pictures without a plate: ${withRead} of ${pictures} with a read, ${reads} reads`)
  return nothing
}

/** What the recognizer returns for a photo; nothing when the picture cannot be decoded. */
async function recognize({ recognizer, folder }: Run, photo: Photo): Promise<Detection[]> {
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

function printCalibration(stated: readonly Stated[]): void {
  if (stated.length === 0) return
  console.log(`calibration: expected error ${calibrationError(stated).toFixed(3)} over ${stated.length} reads`)
  for (const { from, to, reads, confidence, right } of binsOf(stated)) {
    const bin = `stated ${from.toFixed(1)}-${to.toFixed(1)}: ${String(reads).padStart(4)} reads`
    console.log(`  ${bin}, mean ${confidence.toFixed(2)}, right ${right.toFixed(2)}`)
  }
}

const printMiss = ({ file, truth, reads }: Miss, folder: string): void =>
  console.log(`  ${file.slice(folder.length + 1)} ${truth}: ${readsText(reads) || 'nothing'}`)

const readsText = (reads: readonly { plate: string; confidence: number }[]): string =>
  reads.map(({ plate, confidence }) => `${plate} ${confidence.toFixed(3)}`).join(', ')

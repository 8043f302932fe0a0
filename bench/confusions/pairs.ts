import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodePicture } from '../../wasm/node.js'
import { loadWasmFile } from '../../wasm/load_node.js'
import { Recognizer, type Detection } from '../../wasm/mod.js'
import { framedPlate, heldOutPhotos } from '../photos.js'

/** The truth on a plate, and what the reader made of it. */
export interface Pair {
  truth: string
  /** 37 probabilities per position. */
  positions: Float32Array[]
  kind: 'real' | 'rendered'
}

/** What `collectPairs` collects. */
export interface Pairs {
  model: string
  pairs: Pair[]
  /**
   * By kind: plates shown; those not found or not read; and those read as something so different that it is taken for
   * another plate or a caption.
   */
  counts: Record<Pair['kind'], { plates: number; unread: number; strange: number }>
}

/** A plate to show to the recognizer. */
type Shown = {
  kind: Pair['kind']
  truth: string
  picture: () => Promise<Uint8Array>
  box?: readonly [number, number, number, number]
}

/**
 * Runs the recognizer over the labelled plates of photos that it was not trained on (the held-out rows of the train
 * part; never the `val` part, which is for measuring) and over rendered plates (render_plates.py).
 */
export async function collectPairs(sources: { photos?: string; rendered?: string; model?: string }): Promise<Pairs> {
  const recognizer = await Recognizer.create(
    await loadWasmFile('recognizer.wasm'),
    sources.model ? new Uint8Array(readFileSync(sources.model)) : await loadWasmFile('platestream.psm'),
  )
  const collected: Pairs = {
    model: recognizer.modelId,
    pairs: [],
    counts: { real: { plates: 0, unread: 0, strange: 0 }, rendered: { plates: 0, unread: 0, strange: 0 } },
  }
  for (const { kind, truth, picture, box } of [
    ...(sources.photos ? photosOf(sources.photos) : []),
    ...(sources.rendered ? renderedOf(sources.rendered) : []),
  ]) {
    const count = collected.counts[kind]
    count.plates += 1
    const { width, height } = await decodePicture(await picture(), recognizer)
    const detection = detectionAt(recognizer.recognize(width, height), box)
    if (!detection) count.unread += 1
    else if (distance(detection.plate, truth) > MOST_WRONG) count.strange += 1
    else collected.pairs.push({ truth, positions: detection.positions.map((position) => position.slice()), kind })
  }
  return collected
}

/** Up to this many wrong, missing and extra characters, a read is taken to be of the plate. */
const MOST_WRONG = 3

function* photosOf(folder: string): Generator<Shown> {
  for (const photo of heldOutPhotos(folder)) {
    if (photo.kind !== 'scene' && photo.kind !== 'plate') continue
    for (const { text, box } of photo.plates) {
      if (!text || !/^[A-Z0-9]{2,12}$/.test(text)) continue
      const picture = async () => {
        const file = readFileSync(join(folder, photo.file))
        return photo.kind === 'plate' ? framedPlate(file, photo.width, photo.height) : new Uint8Array(file)
      }
      yield { kind: 'real', truth: text, picture, ...(photo.kind === 'scene' && box && { box }) }
    }
  }
}

function* renderedOf(folder: string): Generator<Shown> {
  const rows = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as { file: string; plate: string }[]
  for (const { file, plate } of rows) {
    if (/^[A-Z0-9]{2,12}$/.test(plate))
      yield { kind: 'rendered', truth: plate, picture: async () => new Uint8Array(readFileSync(join(folder, file))) }
  }
}

/** The detection whose centre is in the plate's box; without a box, the best one. */
function detectionAt(detections: readonly Detection[], box: Shown['box']): Detection | undefined {
  if (!box) return detections[0]
  const [left, top, width, height] = box
  return detections.find(({ quad }) => {
    const [x, y] = [0, 1].map((axis) => quad.reduce((sum, corner) => sum + corner[axis as 0 | 1], 0) / 4) as [
      number,
      number,
    ]
    return x >= left && x <= left + width && y >= top && y <= top + height
  })
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + Number(a[i - 1] !== b[j - 1])))
    row = next
  }
  return row[b.length]!
}

import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { AlprError } from '../engine/runtime/mod.js'
import { decodeBmp, kindOf } from '../wasm/internal_mod.js'

/** One labelled plate of a photo. */
export interface LabelledPlate {
  /** Normalised to [A-Z0-9]; null without a label. */
  text: string | null
  /** The published label, where it was wrong. */
  text_orig?: string
  /** x, y, width, height in pixels of the file. */
  box?: [number, number, number, number]
}

/** A row of the photo collection's index.jsonl. */
export interface Photo {
  set: string
  file: string
  kind: 'scene' | 'plate' | 'design' | 'video'
  region: string
  /** US state, or country; null when the collection has none. */
  state_or_country?: string | null
  part: 'train' | 'val'
  plates: LabelledPlate[]
  width: number
  height: number
}

/**
 * The folder of the photo collection: PLATESTREAM_DATA, or ../shared/data. The collection is not part of the project,
 * and its pictures must not be redistributed.
 * @throws ALPR_ERR_USAGE when the folder has no index
 */
export function photoFolder(): string {
  const folder = resolve(process.env.PLATESTREAM_DATA ?? '../shared/data')
  if (!existsSync(join(folder, 'index.jsonl'))) {
    throw new AlprError('ALPR_ERR_USAGE', {
      reason: `no photo collection in ${folder} (set PLATESTREAM_DATA to its folder)`,
    })
  }
  return folder
}

/** Every row of the collection. */
export const allPhotos = (folder: string): Photo[] =>
  readFileSync(join(folder, 'index.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Photo)

/** The photos that only benchmarks may use. */
export const measuringPhotos = (folder: string): Photo[] => allPhotos(folder).filter((photo) => photo.part === 'val')

/**
 * The photos of the train part that no net is trained on (`held_out` in wasm/train/data/photos.py), for constants and
 * calibrations.
 */
export const heldOutPhotos = (folder: string): Photo[] =>
  allPhotos(folder).filter((photo) => photo.part === 'train' && isHeldOut(photo))

/** Splits by the first label, or by the file name, so that all photos of a plate are on the same side. */
function isHeldOut({ plates, file }: Photo): boolean {
  const key = plates.find(({ text }) => text)?.text ?? file
  return createHash('sha256').update(`tune:${key}`).digest()[0]! < 32
}

/** A PNG of a cut-out plate in the middle of a grey picture of twice its size, as a camera would show it. */
export async function framedPlate(file: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const [x, y] = [Math.ceil(width / 2), Math.ceil(height)]
  let luma = new Uint8Array()
  const target = { lumaBuffer: (w: number, h: number) => (luma = new Uint8Array(w * h)) }
  const bitmap = kindOf(file) === 'bmp' && decodeBmp(file, target)
  const picture = bitmap
    ? sharp(luma, { raw: { width: bitmap.width, height: bitmap.height, channels: 1 } }).toColourspace('srgb')
    : sharp(file)
  return picture
    .extend({ left: x, right: x, top: y, bottom: y, background: '#707070' })
    .png({ compressionLevel: 1 })
    .toBuffer()
}

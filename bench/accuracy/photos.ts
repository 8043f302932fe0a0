import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import sharp from 'sharp'
import { AlprError } from '../../engine/runtime/mod.js'
import { decodeBmp, isBmp } from '../../wasm/internal_mod.js'

/** One labelled plate of a photo. */
export interface LabelledPlate {
  /** Normalised to [A-Z0-9]; null when not labelled. */
  text: string | null
  /** The label as published, where that was wrong. */
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
  /** State of the US, or country; null when the collection does not say. */
  state_or_country?: string | null
  part: 'train' | 'val'
  plates: LabelledPlate[]
  width: number
  height: number
}

/**
 * Folder of the photo collection: PLATESTREAM_DATA, or ../shared/data. It is not part of the project, its pictures may
 * not be passed on.
 */
export function photoFolder(): string {
  const folder = resolve(process.env.PLATESTREAM_DATA ?? '../shared/data')
  if (!existsSync(join(folder, 'index.jsonl'))) {
    throw new AlprError('ALPR_ERR_USAGE', {
      reason: `no photo collection in ${folder} (PLATESTREAM_DATA names its folder)`,
    })
  }
  return folder
}

const allPhotos = (folder: string): Photo[] =>
  readFileSync(join(folder, 'index.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Photo)

/** The photos that are for measuring only. */
export const measuringPhotos = (folder: string): Photo[] => allPhotos(folder).filter((photo) => photo.part === 'val')

/**
 * The photos of the train part that nets are not trained on (`held_out` of wasm/train/data/photos.py), for constants and
 * calibrations.
 */
export const heldOutPhotos = (folder: string): Photo[] =>
  allPhotos(folder).filter((photo) => photo.part === 'train' && isHeldOut(photo))

/** Same plate, same side: the split goes by the first text, or by the file name. */
function isHeldOut({ plates, file }: Photo): boolean {
  const key = plates.find(({ text }) => text)?.text ?? file
  return createHash('sha256').update(`tune:${key}`).digest()[0]! < 32
}

/** A cut-out plate set into a grey picture of twice its size, as cameras show plates. */
export async function framedPlate(file: Uint8Array, width: number, height: number): Promise<Uint8Array> {
  const [x, y] = [Math.ceil(width / 2), Math.ceil(height)]
  let luma = new Uint8Array()
  const bitmap = isBmp(file) && (await decodeBmp(file, { lumaBuffer: (w, h) => (luma = new Uint8Array(w * h)) }))
  const picture = bitmap ? sharp(luma, { raw: { ...bitmap, channels: 1 } }).toColourspace('srgb') : sharp(file)
  return picture
    .extend({ left: x, right: x, top: y, bottom: y, background: '#707070' })
    .png({ compressionLevel: 1 })
    .toBuffer()
}

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AlprError } from '../../engine/errors.js'

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

/** Folder of the photo collection: PLATESTREAM_DATA, or ../shared/data. It is not part of the project, its pictures may not be passed on. */
export function photoFolder(): string {
  const folder = resolve(process.env.PLATESTREAM_DATA ?? '../shared/data')
  if (!existsSync(join(folder, 'index.jsonl'))) {
    throw new AlprError('ALPR_ERR_USAGE', { reason: `no photo collection in ${folder} (PLATESTREAM_DATA names its folder)` })
  }
  return folder
}

/** The photos that are for measuring only. */
export function measuringPhotos(folder: string): Photo[] {
  return readFileSync(join(folder, 'index.jsonl'), 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line) as Photo)
    .filter((photo) => photo.part === 'val')
}

import type { Detection } from '../../../wasm/mod.js'
import { CHARACTERS, CLASSES, NONE } from '../../../wasm/mod.js'
import type { Frame } from '../../../engine/sources/frame.js'
import type { Camera } from '../../../engine/model/camera.js'

/** A fixed camera on Main St looking north. */
export const MAIN_ST: Camera = {
  id: 'main-st',
  name: 'Main St',
  kind: 'fixed',
  lat: 38.75,
  lon: -121.28,
  heading: 0,
  agency: 'test',
}

/**
 * The distribution of a text that is read with probability `sure` at each position; the remainder is spread over all
 * other characters.
 */
export function positionsOf(text: string, sure = 0.97): Float32Array[] {
  return Array.from(text, (character) => {
    const row = new Float32Array(CLASSES).fill((1 - sure) / (CLASSES - 1))
    row[character === '-' ? NONE : CHARACTERS.indexOf(character)] = sure
    return row
  })
}

/** A detection of `text` with its upper left corner at x, y; the plate is `width` wide and half as high. */
export function detectionOf(
  text: string,
  x: number,
  y: number,
  { width = 90, sure = 0.97, confidence = 0.9 } = {},
): Detection {
  const height = width / 2
  return {
    plate: text,
    confidence,
    score: 0.9,
    region: null,
    regionConfidence: 0,
    quad: [
      [x, y],
      [x + width, y],
      [x + width, y + height],
      [x, y + height],
    ],
    positions: positionsOf(text, sure),
    alternates: [],
    quality: { heightPx: height, widthPx: width, sharpness: 0.8, contrast: 0.8, glare: 0 },
  }
}

export function frameOf(seq: number, capturedAt: number, camera: Camera = MAIN_ST): Frame {
  return {
    seq,
    camera,
    capturedAt,
    arrivedAt: capturedAt,
    lat: camera.lat!,
    lon: camera.lon!,
    heading: camera.heading,
    feed: '',
    jpeg: new Uint8Array(),
  }
}

import type { LumaTarget, Size } from './limits.js'
import { readOrientation, turnUpright } from './orientation.js'

/** Decodes a JPEG file with its EXIF orientation applied, as viewers show it. */
export function decodeUpright(
  jpeg: Uint8Array,
  target: LumaTarget,
  decode: (jpeg: Uint8Array, target: LumaTarget) => Size,
): Size {
  const orientation = readOrientation(jpeg)
  if (orientation === 1) return decode(jpeg, target)
  let lying: Uint8Array = new Uint8Array(0)
  const size = decode(jpeg, { lumaBuffer: (width, height) => (lying = new Uint8Array(width * height)) })
  return turnUpright(lying, size, orientation, target)
}

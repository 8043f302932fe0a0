import sharp from 'sharp'
import type { Quad } from '../../wasm/mod.js'

// One thread a picture: the cores belong to recognition.
sharp.concurrency(1)
sharp.cache(false)

/** Width of the stored plate crop and of the reduced frame, in pixels; never enlarged. */
const CROP_WIDTH = 320
const PICTURE_WIDTH = 800

/**
 * The two pictures of a read (CAN-3: plate image and vehicle image), in colour, from the best frame of its pass.
 * @param quad the plate's corners in pixels of the frame; parts outside the frame are cut off
 */
export async function makePictures(jpeg: Uint8Array, quad: Quad): Promise<{ crop: Buffer; picture: Buffer }> {
  const { data, info } = await sharp(jpeg, { failOn: 'none' }).raw().toBuffer({ resolveWithObject: true })
  const image = () => sharp(data, { raw: { width: info.width, height: info.height, channels: info.channels } })
  const [crop, picture] = await Promise.all([
    image().extract(surroundings(quad, info.width, info.height)).resize({ width: CROP_WIDTH, withoutEnlargement: true }).jpeg({ quality: 85 }).toBuffer(),
    image().resize({ width: PICTURE_WIDTH, withoutEnlargement: true, fastShrinkOnLoad: true, kernel: 'linear' }).jpeg({ quality: 75 }).toBuffer(),
  ])
  return { crop, picture }
}

/** The plate's bounding box with a quarter of its width and half of its height around it, inside the frame. */
function surroundings(quad: Quad, width: number, height: number): { left: number; top: number; width: number; height: number } {
  const xs = quad.map((p) => p[0])
  const ys = quad.map((p) => p[1])
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)]
  const [y0, y1] = [Math.min(...ys), Math.max(...ys)]
  const left = clamp(Math.floor(x0 - 0.25 * (x1 - x0)), 0, width - 1)
  const top = clamp(Math.floor(y0 - 0.5 * (y1 - y0)), 0, height - 1)
  return {
    left, top,
    width: clamp(Math.ceil(x1 + 0.25 * (x1 - x0)) - left, 1, width - left),
    height: clamp(Math.ceil(y1 + 0.5 * (y1 - y0)) - top, 1, height - top),
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

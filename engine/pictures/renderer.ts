import turbo from '@julusian/jpeg-turbo'
import sharp from 'sharp'
import { checkJpeg } from '../../wasm/picture/jpeg_check.js'
import type { Quad } from '../../wasm/mod.js'

// One thread a picture: the cores belong to recognition.
sharp.concurrency(1)
sharp.cache(false)

/** Width of the stored plate crop and of the reduced frame, in pixels; never enlarged. */
const CROP_WIDTH = 320
const PICTURE_WIDTH = 800
const CHANNELS = 3
/** Pixels kept from one picture to the next, bytes: a frame of 3840x2160. Larger ones are given back. */
const MAX_KEPT = 3840 * 2160 * CHANNELS

/**
 * Makes the two pictures of a read (CAN-3: plate image and vehicle image), in colour, from the best frame of its pass; one at a time.
 *
 * libjpeg-turbo decodes into memory that is used over and over: through sharp, and into fresh memory for each picture, decoding took ten times as long, most
 * of it in the kernel and in V8's collector, which runs early when such blocks come and go.
 */
export class Renderer {
  #pixels = Buffer.alloc(0)

  /**
   * @param quad the plate's corners in pixels of the frame; parts outside the frame are cut off
   * @throws when the frame is no JPEG, or a damaged one
   */
  async render(jpeg: Uint8Array, quad: Quad): Promise<{ crop: Buffer; picture: Buffer }> {
    const { width, height } = checkJpeg(jpeg)
    const data = await this.#decode(jpeg, width, height)
    const image = () => sharp(data, { raw: { width, height, channels: CHANNELS } })
    const [crop, picture] = await Promise.all([
      image().extract(surroundings(quad, width, height)).resize({ width: CROP_WIDTH, withoutEnlargement: true }).jpeg({ quality: 85 }).toBuffer(),
      image().resize({ width: PICTURE_WIDTH, withoutEnlargement: true, kernel: 'linear' }).jpeg({ quality: 75 }).toBuffer(),
    ])
    return { crop, picture }
  }

  async #decode(jpeg: Uint8Array, width: number, height: number): Promise<Buffer> {
    const bytes = width * height * CHANNELS
    const pixels = this.#pixels.length >= bytes ? this.#pixels : Buffer.allocUnsafeSlow(bytes)
    if (bytes <= MAX_KEPT) this.#pixels = pixels
    await turbo.decompress(Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength), pixels, { format: turbo.FORMAT_RGB })
    return pixels.subarray(0, bytes)
  }
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

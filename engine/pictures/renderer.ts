import turbo from '@julusian/jpeg-turbo'
import { loadWasmFile } from '../../wasm/load_node.js'
import { checkJpeg, MOST_REDUCED, Shrinker, type Area, type Quad, type Size } from '../../wasm/mod.js'

/** Width of the stored plate crop and of the reduced frame, in pixels; never enlarged. */
const CROP_WIDTH = 320
const PICTURE_WIDTH = 800
/** Of JPEG, 1 to 100. */
const CROP_QUALITY = 85
const PICTURE_QUALITY = 72
/** Pixels of a frame whose memory is kept for the next: 3840x2160. That of larger ones is given back. */
const MOST_KEPT = 3_840 * 2_160

/**
 * Makes the two pictures of a read (CAN-3: plate image and vehicle image), in colour, from the best frame of its pass;
 * one at a time.
 *
 * libjpeg-turbo decodes into WebAssembly memory that is used over and over, which is reduced there and encoded from
 * there. (Through sharp, with fresh memory for each step, a picture took four times the CPU: a third of what the engine
 * needed beside recognition.)
 */
export class Renderer {
  readonly #shrinker: Shrinker
  readonly #encoders = { crop: new Encoder(CROP_QUALITY), picture: new Encoder(PICTURE_QUALITY) }

  private constructor(private readonly module: WebAssembly.Module) {
    this.#shrinker = new Shrinker(module)
  }

  /** So many, for pictures that are made at the same time. @throws when the build lacks its module */
  static async create(count: number): Promise<Renderer[]> {
    const module = await WebAssembly.compile((await loadWasmFile('shrink.wasm')) as Uint8Array<ArrayBuffer>)
    return Array.from({ length: count }, () => new Renderer(module))
  }

  /**
   * @param quad the plate's corners in pixels of the frame; parts outside the frame are cut off
   * @throws when the frame is no JPEG, or a damaged one
   */
  async render(jpeg: Uint8Array, quad: Quad): Promise<{ crop: Buffer; picture: Buffer }> {
    const { width, height } = checkJpeg(jpeg)
    const shrinker = width * height <= MOST_KEPT ? this.#shrinker : new Shrinker(this.module)
    const plate = surroundings(quad, width, height)
    const [ofCrop, ofPicture] = [reduced(plate, CROP_WIDTH), reduced({ width, height }, PICTURE_WIDTH)]
    await turbo.decompress(view(jpeg), view(shrinker.open({ width, height }, [ofCrop, ofPicture])), {
      format: turbo.FORMAT_RGBX,
    })
    const [crop, picture] = await Promise.all([
      this.#encoders.crop.encode(shrinker.shrink(plate, ofCrop), ofCrop),
      this.#encoders.picture.encode(shrinker.shrink({ left: 0, top: 0, width, height }, ofPicture), ofPicture),
    ])
    return { crop, picture }
  }
}

const view = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)

/**
 * JPEG from 4 bytes a pixel, one after the other. libjpeg-turbo wants room for the worst case, fifty times what a
 * picture takes: it is used again.
 */
class Encoder {
  #room = Buffer.alloc(0)

  constructor(private readonly quality: number) {}

  async encode(pixels: Uint8Array, size: Size): Promise<Buffer> {
    const most = turbo.bufferSize({ ...size, subsampling: turbo.SAMP_420 })
    if (this.#room.length < most) this.#room = Buffer.allocUnsafeSlow(most)
    return Buffer.from(
      await turbo.compress(view(pixels), this.#room, {
        format: turbo.FORMAT_RGBX,
        ...size,
        quality: this.quality,
        subsampling: turbo.SAMP_420,
      }),
    )
  }
}

/** The size of an area that is at most so wide, with its proportions; a strip of some rows keeps enough of them. */
function reduced({ width, height }: Size, mostWidth: number): Size {
  return width <= mostWidth
    ? { width, height }
    : { width: mostWidth, height: Math.max(Math.ceil(height / MOST_REDUCED), Math.round((height * mostWidth) / width)) }
}

/** The plate's bounding box with a quarter of its width and half of its height around it, inside the frame. */
function surroundings(quad: Quad, width: number, height: number): Area {
  const xs = quad.map((p) => p[0])
  const ys = quad.map((p) => p[1])
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)]
  const [y0, y1] = [Math.min(...ys), Math.max(...ys)]
  const left = clamp(Math.floor(x0 - 0.25 * (x1 - x0)), 0, width - 1)
  const top = clamp(Math.floor(y0 - 0.5 * (y1 - y0)), 0, height - 1)
  return {
    left,
    top,
    width: clamp(Math.ceil(x1 + 0.25 * (x1 - x0)) - left, 1, width - left),
    height: clamp(Math.ceil(y1 + 0.5 * (y1 - y0)) - top, 1, height - top),
  }
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))

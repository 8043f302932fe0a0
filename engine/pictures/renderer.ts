import turbo from '@julusian/jpeg-turbo'
import { decodeJpegNatively, loadWasmFile, mendJpeg } from '../../wasm/load_node.js'
import { checkJpeg, MOST_REDUCED, Shrinker, type Area, type CheckedJpeg, type Quad, type Size } from '../../wasm/mod.js'

/** Widths of the plate crop and of the reduced frame, pixels. Neither is ever enlarged. */
const CROP_WIDTH = 320
const PICTURE_WIDTH = 800
/** JPEG qualities, 1 to 100. */
const CROP_QUALITY = 85
const PICTURE_QUALITY = 72
/** Pixels of the largest frame whose memory is reused: 3840x2160. Memory of larger ones is released. */
const MAX_REUSED = 3_840 * 2_160

/**
 * Renders the two pictures of a read (CAN-3: plate image and vehicle image), in colour, from the best frame of its
 * pass; one read at a time.
 *
 * libjpeg-turbo decodes into WebAssembly memory that is reused; the pixels are reduced there and encoded from there.
 * (sharp, with new memory for each step, took four times the CPU: a third of all that the engine needed besides
 * recognition.)
 */
export class Renderer {
  readonly #shrinker: Shrinker
  readonly #encoders = { crop: new Encoder(CROP_QUALITY), picture: new Encoder(PICTURE_QUALITY) }

  private constructor(private readonly module: WebAssembly.Module) {
    this.#shrinker = new Shrinker(module)
  }

  /** @param count renderers that work at the same time @throws when the WASM module is missing in the build */
  static async create(count: number): Promise<Renderer[]> {
    const module = await WebAssembly.compile((await loadWasmFile('shrink.wasm')) as Uint8Array<ArrayBuffer>)
    return Array.from({ length: count }, () => new Renderer(module))
  }

  /**
   * @param quad corners of the plate, pixels of the frame; parts outside the frame are cut off
   * Both are grey when the frame is damaged and was read in part, has colours that libjpeg-turbo does not convert
   * (CMYK), or exceeds the recognizer's limits.
   * @throws when the frame is none that the recognizer reads
   */
  async render(jpeg: Uint8Array, quad: Quad): Promise<{ crop: Buffer; picture: Buffer }> {
    const header = checkJpeg(jpeg)
    // memory for the colours of larger frames is not taken
    const by = header.reduction
    const [width, height] = [Math.floor(header.width / by), Math.floor(header.height / by)]
    const shrinker = width * height <= MAX_REUSED ? this.#shrinker : new Shrinker(this.module)
    const plate = surroundings(quad.map(([x, y]) => [x / by, y / by]) as Quad, width, height)
    const [cropSize, pictureSize] = [reduced(plate, CROP_WIDTH), reduced({ width, height }, PICTURE_WIDTH)]
    await decodeColours(jpeg, header, shrinker.open({ width, height }, [cropSize, pictureSize]))
    const [crop, picture] = await Promise.all([
      this.#encoders.crop.encode(shrinker.shrink(plate, cropSize), cropSize),
      this.#encoders.picture.encode(shrinker.shrink({ left: 0, top: 0, width, height }, pictureSize), pictureSize),
    ])
    return { crop, picture }
  }

  /**
   * The two pictures of a read whose camera sent its own. One that is missing, or that cannot be decoded, is replaced
   * by the other.
   * @param quad corners of the plate in the scene, for a crop when there is no picture of the plate
   * @throws when neither can be decoded
   */
  async renderOwn(
    scene: Uint8Array | undefined,
    plate: Uint8Array | undefined,
    quad?: Quad,
  ): Promise<{ crop: Buffer; picture: Buffer }> {
    const crop = await orNothing(plate && this.reduce(plate, CROP_WIDTH, this.#encoders.crop))
    if (!crop && scene && quad) return this.render(scene, quad)
    const picture = await orNothing(scene && this.reduce(scene, PICTURE_WIDTH, this.#encoders.picture))
    if (crop) return { crop, picture: picture ?? crop }
    const whole = (scene ?? plate)!
    return { crop: await this.reduce(whole, CROP_WIDTH, this.#encoders.crop), picture: picture! }
  }

  /** A whole picture, reduced to a width. @throws when the recognizer would not read it */
  private async reduce(jpeg: Uint8Array, maxWidth: number, encoder: Encoder): Promise<Buffer> {
    const header = checkJpeg(jpeg)
    const by = header.reduction
    const size = { width: Math.floor(header.width / by), height: Math.floor(header.height / by) }
    const shrinker = size.width * size.height <= MAX_REUSED ? this.#shrinker : new Shrinker(this.module)
    const to = reduced(size, maxWidth)
    await decodeColours(jpeg, header, shrinker.open(size, [to]))
    return encoder.encode(shrinker.shrink({ left: 0, top: 0, ...size }, to), to)
  }
}

/** Decodes a frame into pixels of 4 bytes: in colour where libjpeg-turbo can, in grey otherwise. */
async function decodeColours(jpeg: Uint8Array, { usual, start, reduction }: CheckedJpeg, out: Uint8Array) {
  if (reduction === 1) {
    if (usual && (await decompress(jpeg.subarray(start), out))) return
    const mended = mendJpeg(jpeg)
    if (mended && checkJpeg(mended).usual && (await decompress(mended, out))) return
  }
  let luma: Uint8Array = new Uint8Array(0)
  decodeJpegNatively(jpeg, { lumaBuffer: (width, height) => (luma = new Uint8Array(width * height)) })
  for (let i = 0; i < luma.length; i++) out.fill(luma[i]!, 4 * i, 4 * i + 3)
}

/** @returns whether libjpeg-turbo decodes all of it */
async function decompress(jpeg: Uint8Array, out: Uint8Array): Promise<boolean> {
  try {
    await turbo.decompress(view(jpeg), view(out), { format: turbo.FORMAT_RGBX })
    return true
  } catch {
    return false
  }
}

/** Undefined when there is none, or it cannot be decoded: the other one may. */
const orNothing = (made: Promise<Buffer> | undefined): Promise<Buffer | undefined> =>
  Promise.resolve(made).catch(() => undefined)

const view = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)

/**
 * Encodes pixels of 4 bytes as JPEG, one picture at a time. libjpeg-turbo needs a buffer for the worst case, 50 times
 * the size of a usual picture: it is reused.
 */
class Encoder {
  #buffer = Buffer.alloc(0)

  constructor(private readonly quality: number) {}

  async encode(pixels: Uint8Array, size: Size): Promise<Buffer> {
    const maxBytes = turbo.bufferSize({ ...size, subsampling: turbo.SAMP_420 })
    if (this.#buffer.length < maxBytes) this.#buffer = Buffer.allocUnsafeSlow(maxBytes)
    return Buffer.from(
      await turbo.compress(view(pixels), this.#buffer, {
        format: turbo.FORMAT_RGBX,
        ...size,
        quality: this.quality,
        subsampling: turbo.SAMP_420,
      }),
    )
  }
}

/** A size of at most `maxWidth` with the same proportions; a low strip keeps as many rows as the shrinker needs. */
function reduced({ width, height }: Size, maxWidth: number): Size {
  return width <= maxWidth
    ? { width, height }
    : { width: maxWidth, height: Math.max(Math.ceil(height / MOST_REDUCED), Math.round((height * maxWidth) / width)) }
}

/** The plate's bounding box, with a margin of a quarter of its width and half of its height, clipped to the frame. */
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

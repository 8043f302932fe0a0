import { WasmError } from '../errors.js'
import { corrupt, OtherJpeg } from './jpeg/corrupt.js'
import { decodeJpegLuma } from './jpeg_luma.js'
import { checkBytes, checkSize, type LumaTarget, type Size } from './limits.js'
import { lumaOfRgba } from './luma.js'
import { decodeUpright } from './upright.js'

/**
 * Decodes the luma of a picture file into the target, upright; in a page or a worker. A JPEG gives the same bits as in
 * Node (decode_node.ts), and so does an opaque PNG or WebP of 8 bits; the browser decodes other formats, transparency
 * and rare JPEGs, which may differ in the last bit.
 * @throws ALPR_ERR_FRAME_EMPTY, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE
 */
export async function decodePicture(bytes: Uint8Array, target: LumaTarget): Promise<Size> {
  try {
    return decodeUpright(bytes, target, decodeJpegLuma)
  } catch (error) {
    if (error instanceof WasmError && error.code === 'ALPR_ERR_FRAME_NOT_JPEG') return decodeByBrowser(bytes, target)
    // files of other kinds are tried in the browser, damaged ones are not
    if (error instanceof OtherJpeg || isCmyk(error)) return decodeByBrowser(bytes, target)
    throw error
  }
}

async function decodeByBrowser(bytes: Uint8Array, target: LumaTarget): Promise<Size> {
  checkBytes(bytes)
  let picture: ImageBitmap
  try {
    picture = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]), {
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
    })
  } catch (error) {
    throw corrupt('not a picture that this browser supports', error)
  }
  try {
    const { width, height } = picture
    checkSize(picture)
    const canvas = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!
    canvas.drawImage(picture, 0, 0)
    lumaOfRgba(canvas.getImageData(0, 0, width, height).data, target.lumaBuffer(width, height))
    return { width, height }
  } finally {
    picture.close()
  }
}

const isCmyk = (error: unknown): boolean =>
  error instanceof WasmError && String(error.details.reason).startsWith('CMYK')

import { decodeAny, type OtherPicture } from './decode_any.js'
import type { Decoded } from './decoded.js'
import { withoutExif } from './exif_block.js'
import { corrupt } from './jpeg/corrupt.js'
import { decodeJpegLuma } from './jpeg_luma.js'
import { unsupported } from './kind.js'
import { reducedSize, reductionOf, type LumaTarget } from './limits.js'
import { lumaOfRgba } from './luma.js'

/**
 * Decodes the luma of a picture file into the target, upright; in a page or a worker. A JPEG and a bitmap give the same
 * bits as in Node (decode_node.ts), and so does an opaque PNG or WebP of 8 bits; the browser decodes other formats and
 * transparency, which may differ in the last bit.
 * @throws ALPR_ERR_FRAME_EMPTY, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE, ALPR_ERR_PICTURE_UNSUPPORTED
 */
export async function decodePicture(bytes: Uint8Array, target: LumaTarget): Promise<Decoded> {
  return decodeAny(bytes, target, { jpeg: decodeJpegLuma, other: decodeByBrowser })
}

async function decodeByBrowser(bytes: Uint8Array, kind: OtherPicture, target: LumaTarget): Promise<Decoded> {
  if (kind === 'tiff')
    throw unsupported({ what: 'a TIFF picture', remedy: 'browsers have none; convert it to JPEG or PNG' })
  const lying = kind === 'png' || kind === 'webp' ? withoutExif(bytes, kind) : bytes
  let picture: ImageBitmap
  try {
    picture = await createImageBitmap(new Blob([lying as Uint8Array<ArrayBuffer>]), {
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
    })
  } catch (error) {
    throw corrupt(`this browser does not decode the ${kind.toUpperCase()}`, error)
  }
  try {
    const reduced = reductionOf(picture, 1)
    const { width, height } = reducedSize(picture, reduced)
    const canvas = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!
    canvas.drawImage(picture, 0, 0, width, height)
    lumaOfRgba(canvas.getImageData(0, 0, width, height).data, target.lumaBuffer(width, height))
    return { width, height, reduced }
  } finally {
    picture.close()
  }
}

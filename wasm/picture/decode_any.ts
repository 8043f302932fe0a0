import { WasmError } from '../errors.js'
import { decodeBmp } from './decode_bmp.js'
import type { Decoded } from './decoded.js'
import { kindOf, textKindOf, unsupported, type PictureKind } from './kind.js'
import { checkBytes, type LumaTarget } from './limits.js'
import { readOrientation } from './orientation.js'
import { isRawPreview } from './raw_photo.js'
import { decodeUpright, decodeUprightLater } from './upright.js'

/** What differs between Node and browsers. */
export interface Decoders {
  jpeg(bytes: Uint8Array, target: LumaTarget): Decoded
  /** Of a PNG or WebP without turning it; of others as their containers say. */
  other(bytes: Uint8Array, kind: OtherPicture, target: LumaTarget): Promise<Decoded>
}

export type OtherPicture = Exclude<PictureKind, 'jpeg' | 'bmp'>

/**
 * Decodes the luma of a picture file into the target, upright: one set of rules for every entrance. A file's kind is
 * that of its content.
 * @throws ALPR_ERR_FRAME_EMPTY, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE, ALPR_ERR_PICTURE_UNSUPPORTED
 */
export async function decodeAny(bytes: Uint8Array, target: LumaTarget, decoders: Decoders): Promise<Decoded> {
  checkBytes(bytes)
  const kind = kindOf(bytes)
  if (kind === undefined || kind === 'jpeg') return decodeJpegFile(bytes, target, decoders)
  if (kind === 'bmp') return decodeBmp(bytes, target)
  if (typeof kind === 'object') throw unsupported(kind)
  if (kind === 'tiff' && isRawPreview(bytes))
    throw unsupported({ what: 'a raw photo (DNG, NEF, ARW)', remedy: 'convert it to JPEG first' })
  if (kind !== 'png' && kind !== 'webp') return decoders.other(bytes, kind, target)
  return decodeUprightLater(readOrientation(bytes, kind), target, (to) => decoders.other(bytes, kind, to))
}

/** A JPEG, or what may be one behind bytes of something else. */
function decodeJpegFile(bytes: Uint8Array, target: LumaTarget, { jpeg }: Decoders): Decoded {
  try {
    return decodeUpright(readOrientation(bytes), target, (to) => jpeg(bytes, to))
  } catch (error) {
    if (error instanceof WasmError && error.code === 'ALPR_ERR_FRAME_NOT_JPEG')
      throw unsupported(textKindOf(bytes), error)
    throw error
  }
}

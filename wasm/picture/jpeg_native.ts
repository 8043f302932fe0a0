import turbo from '@julusian/jpeg-turbo'
import type { Decoded } from './decoded.js'
import { JpegLuma } from './jpeg/decode.js'
import { checkJpeg } from './jpeg_check.js'
import { reducedSize, type LumaTarget } from './limits.js'
import { reduceLuma } from './reduce.js'

/**
 * Decodes a JPEG's luma directly into the target with libjpeg-turbo (Node only). What libjpeg-turbo does not know,
 * refuses or warns about (surplus bytes, a truncated scan, bad codes) goes to the decoder that browsers use, which
 * decides for all entrances whether the picture is whole, read in part, or refused. Does not decode chroma or apply an
 * EXIF orientation.
 * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE, ALPR_ERR_PICTURE_UNSUPPORTED
 */
export function decodeJpegNatively(jpeg: Uint8Array, target: LumaTarget): Decoded {
  const header = checkJpeg(jpeg)
  const { width, height, reduction, start } = header
  if (header.usual) {
    const size = reducedSize(header, reduction)
    const luma = target.lumaBuffer(size.width, size.height)
    const full = reduction === 1 ? luma : new Uint8Array(width * height)
    const decoded = decompress(jpeg.subarray(start), full)
    // a picture of another size: the file holds two frame headers
    if (decoded?.width === width && decoded.height === height) {
      if (reduction > 1) reduceLuma(full, header, reduction, luma)
      return { ...size, reduced: reduction }
    }
  }
  return new JpegLuma(jpeg, header, target).decode()
}

/** @returns undefined when libjpeg-turbo refuses the picture or warns about it */
function decompress(jpeg: Uint8Array, out: Uint8Array): { width: number; height: number } | undefined {
  try {
    return turbo.decompressSync(view(jpeg), view(out), { format: turbo.FORMAT_GRAY })
  } catch {
    // the binding does not say which of the two it was
    return undefined
  }
}

const view = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength)

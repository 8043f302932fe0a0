/** 8 MiB, as for frames on the stream. */
export const MAX_PICTURE_BYTES = 8_388_608

const isJpeg = (data: Uint8Array): boolean => data[0] === 0xff && data[1] === 0xd8

/** @returns why these bytes are no JPEG that can be kept, in words for people; undefined when they are one */
export function pictureFault(data: Buffer): string | undefined {
  if (data.length > MAX_PICTURE_BYTES)
    return `the picture has ${data.length} bytes, the limit is ${MAX_PICTURE_BYTES}: lower its quality in the camera`
  return isJpeg(data) ? undefined : `it is ${nameOf(data)}, not a JPEG: set the camera to JPEG`
}

function nameOf(data: Buffer): string {
  if (data.length === 0) return 'empty'
  const begin = data.toString('latin1', 0, 16)
  if (begin.startsWith('\x89PNG')) return 'a PNG picture'
  if (begin.startsWith('GIF8')) return 'a GIF picture'
  if (begin.startsWith('BM')) return 'a BMP picture'
  if (begin.startsWith('RIFF')) return 'a WebP picture or an AVI video'
  if (begin.slice(4, 8) === 'ftyp') return 'an MP4 video or a HEIC picture'
  if (/^\s*[{[]/.test(begin)) return 'JSON: the camera may be registered as the wrong kind'
  if (/^\s*</.test(begin)) return 'XML or HTML: the camera may be registered as the wrong kind'
  return 'data of an unknown form'
}

import { JpegLuma } from './jpeg/decode.js'
import { END, isFrame, MARKER, nextSegment, SCAN } from './jpeg/marker.js'
import { checkJpeg } from './jpeg_check.js'

/**
 * A JPEG with the same picture that libjpeg decodes without a warning: without bytes before it, between its segments
 * and before its markers, with an end marker and its height in the frame header.
 * @returns undefined when the picture is damaged
 * @throws the errors of checkJpeg; ALPR_ERR_FRAME_CORRUPT, _TRUNCATED
 */
export function mendJpeg(bytes: Uint8Array): Uint8Array | undefined {
  const header = checkJpeg(bytes)
  const decoder = new JpegLuma(bytes, header, { lumaBuffer: (width, height) => new Uint8Array(width * height) })
  if (decoder.decode().damage) return undefined
  const { surplus, end } = decoder.blemishes
  const mended = new Uint8Array(end - header.start + 2)
  let length = 0
  let from = header.start
  for (const [cut, to] of [...surplus, [end, end] as const]) {
    if (cut > end) break
    mended.set(bytes.subarray(from, cut), length)
    length += cut - from
    from = to
  }
  mended[length++] = MARKER
  mended[length++] = END
  const whole = mended.subarray(0, length)
  stateHeight(whole, header.height)
  return whole
}

/** Writes the height into the frame header, which leaves it to a DNL segment in some files. */
function stateHeight(jpeg: Uint8Array, height: number): void {
  for (let segment = nextSegment(jpeg, 2); segment && segment.code !== SCAN; segment = nextSegment(jpeg, segment.to)) {
    if (!isFrame(segment.code)) continue
    jpeg[segment.from + 1] = height >> 8
    jpeg[segment.from + 2] = height & 0xff
  }
}

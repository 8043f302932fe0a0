/** Background of a transparent picture: middle grey, 0..255. */
export const BACKDROP = 128

/**
 * Luma of straight (not premultiplied) RGBA, 8 bits a channel, as JPEG defines it: 0.299 R + 0.587 G + 0.114 B in
 * 16-bit fixed point, rounded; the same integers as libjpeg's. Transparent pixels are blended with BACKDROP.
 */
export function lumaOfRgba(rgba: Uint8Array | Uint8ClampedArray, out: Uint8Array): void {
  for (let i = 0, at = 0; i < out.length; i++, at += 4) {
    const y = (19595 * rgba[at]! + 38470 * rgba[at + 1]! + 7471 * rgba[at + 2]! + 32768) >> 16
    const alpha = rgba[at + 3]!
    out[i] = alpha === 255 ? y : Math.floor((y * alpha + BACKDROP * (255 - alpha) + 127) / 255)
  }
}

import { decodeJpeg } from '../recognize/decode.js'

/** A picture's luma reduced to this size, whatever its own: enough to see what moves. */
export const MINIATURE = { width: 320, height: 180 } as const

/** Makes miniatures of JPEGs. Its memory is used again for each. */
export class MiniatureMaker {
  #luma = new Uint8Array(0)
  #size = { width: 0, height: 0 }

  lumaBuffer(width: number, height: number): Uint8Array {
    if (this.#luma.length < width * height) this.#luma = new Uint8Array(width * height)
    this.#size = { width, height }
    return this.#luma.subarray(0, width * height)
  }

  /** @returns undefined for a picture that cannot be decoded */
  make(jpeg: Buffer): { miniature: Uint8Array; width: number; height: number } | undefined {
    try {
      decodeJpeg(jpeg, this)
    } catch {
      return undefined
    }
    return { miniature: reduce(this.#luma, this.#size), ...this.#size }
  }
}

/** Means of up to four by four pixels each. */
function reduce(luma: Uint8Array, { width, height }: { width: number; height: number }): Uint8Array {
  const out = new Uint8Array(MINIATURE.width * MINIATURE.height)
  const column = new Uint32Array(MINIATURE.width + 1)
  for (let x = 0; x <= MINIATURE.width; x++) column[x] = Math.floor((x * width) / MINIATURE.width)
  for (let y = 0; y < MINIATURE.height; y++) {
    const top = Math.floor((y * height) / MINIATURE.height)
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * height) / MINIATURE.height))
    const stepY = Math.max(1, (bottom - top) >> 2)
    for (let x = 0; x < MINIATURE.width; x++) {
      const left = column[x]!
      const right = Math.max(left + 1, column[x + 1]!)
      const stepX = Math.max(1, (right - left) >> 2)
      let sum = 0
      let count = 0
      for (let row = top; row < bottom; row += stepY)
        for (let at = row * width + left; at < row * width + right; at += stepX) {
          sum += luma[at]!
          count++
        }
      out[y * MINIATURE.width + x] = sum / count
    }
  }
  return out
}

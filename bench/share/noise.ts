import turbo from '@julusian/jpeg-turbo'

/** A picture of noise: every part of it may be a plate, and it takes long to decode. @param seed decides the noise */
export function noise(width: number, height: number, seed: number): Uint8Array {
  const pixels = Buffer.alloc(width * height * 3)
  let state = seed >>> 0 || 1
  for (let i = 0; i < pixels.length; i++) {
    // xorshift32 (Marsaglia, 2003)
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    pixels[i] = state
  }
  const options = { format: turbo.FORMAT_RGB, width, height, quality: 60, subsampling: turbo.SAMP_420 }
  return turbo.compressSync(pixels, Buffer.alloc(turbo.bufferSize(options)), options).slice()
}

import type { Recognizer } from '../../wasm/mod.js'

/** Frames recognized before a worker is ready. */
const FRAMES = 6
const WIDTH = 1280
const HEIGHT = 720

/**
 * Recognizes a drawn frame a few times: a grey road with a bright plate of dark bars. Recognizer.create has run the
 * nets already; this takes the rest (pyramid, sampling, beam search) through V8's tiers and grows the memory to the
 * size of a usual frame.
 */
export function warmUp(recognizer: Recognizer): void {
  for (let i = 0; i < FRAMES; i++) {
    draw(recognizer.lumaBuffer(WIDTH, HEIGHT))
    recognizer.recognize(WIDTH, HEIGHT)
  }
}

function draw(luma: Uint8Array): void {
  luma.fill(96)
  const plate = { x: 560, y: 400, width: 160, height: 80 }
  for (let y = plate.y; y < plate.y + plate.height; y++) {
    luma.fill(220, y * WIDTH + plate.x, y * WIDTH + plate.x + plate.width)
    if (y < plate.y + 20 || y >= plate.y + 60) continue
    for (let bar = 0; bar < 7; bar++) {
      const x = y * WIDTH + plate.x + 12 + bar * 20
      luma.fill(30, x, x + 5)
      luma.fill(30, x + 9, x + 12)
    }
  }
}

import { writeFile } from 'node:fs/promises'
import sharp, { type Region } from 'sharp'
import type { Quad } from '../../wasm/mod.js'

/** A plate that was not read exactly. */
export interface Miss {
  file: string
  truth: string
  /** What was returned for the picture, best first. */
  reads: { plate: string; confidence: number; quad?: Quad }[]
  /** x, y, width, height of the plate in the picture, when it is labelled. */
  box?: readonly [number, number, number, number]
}

const TILE = { width: 300, height: 150, text: 34 }
const ACROSS = 5

/** Writes a PNG with one tile per miss: the plate and its surroundings, the truth, what was read. */
export async function writeContactSheet(misses: readonly Miss[], out: string): Promise<void> {
  const tiles = await Promise.all(misses.map(tileOf))
  const height = TILE.height + TILE.text
  const rows = Math.max(1, Math.ceil(tiles.length / ACROSS))
  const sheet = sharp({
    create: { width: ACROSS * TILE.width, height: rows * height, channels: 3, background: '#202020' },
  })
  const layers = tiles.map((input, i) => ({
    input,
    left: (i % ACROSS) * TILE.width,
    top: Math.floor(i / ACROSS) * height,
  }))
  await writeFile(out, await sheet.composite(layers).png().toBuffer())
}

async function tileOf(miss: Miss): Promise<Buffer> {
  const { width = 1, height = 1 } = await sharp(miss.file).metadata()
  const window = windowOf(miss, width, height)
  const picture = await sharp(miss.file)
    .extract(window)
    .resize(TILE.width, TILE.height, { fit: 'contain', background: '#202020' })
    .toColourspace('srgb')
    .removeAlpha()
    .toBuffer()
  const read =
    miss.reads
      .slice(0, 2)
      .map((r) => `${r.plate} ${Math.round(100 * r.confidence)}%`)
      .join('  ') || 'nothing read'
  const caption = Buffer.from(
    `<svg width="${TILE.width}" height="${TILE.text}"><rect width="100%" height="100%" fill="#202020"/>` +
      `<text x="4" y="14" font-family="monospace" font-size="13" fill="#8f8">${miss.truth}</text>` +
      `<text x="4" y="29" font-family="monospace" font-size="13" fill="#f99">${read}</text></svg>`,
  )
  return sharp({ create: { width: TILE.width, height: TILE.height + TILE.text, channels: 3, background: '#202020' } })
    .composite([
      { input: picture, left: 0, top: 0 },
      { input: caption, left: 0, top: TILE.height },
    ])
    .png()
    .toBuffer()
}

/** Twice the plate's box, or the first read's; the whole picture without either. */
function windowOf({ box, reads }: Miss, width: number, height: number): Region {
  const quad = reads[0]?.quad
  const [x, y, w, h] = box ?? (quad ? boundsOf(quad) : [0, 0, width, height])
  const left = Math.max(0, Math.floor(x - w / 2))
  const top = Math.max(0, Math.floor(y - h))
  return {
    left,
    top,
    width: Math.max(1, Math.min(width - left, Math.ceil(2 * w))),
    height: Math.max(1, Math.min(height - top, Math.ceil(3 * h))),
  }
}

function boundsOf(quad: Quad): [number, number, number, number] {
  const xs = quad.map((c) => c[0])
  const ys = quad.map((c) => c[1])
  const [x, y] = [Math.max(0, Math.min(...xs)), Math.max(0, Math.min(...ys))]
  return [x, y, Math.max(...xs) - x, Math.max(...ys) - y]
}

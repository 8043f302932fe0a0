import sharp, { type JpegOptions } from 'sharp'

/** A drawn scene: grey gradient, a car-like block and a plate with `text`, as raw luma. */
export async function scene(width: number, height: number, text = '7ABC123'): Promise<Buffer> {
  const plateWidth = Math.min(200, width / 2)
  const plateHeight = plateWidth / 2
  const x = (width - plateWidth) / 2
  const y = height * 0.6
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
    <defs><linearGradient id="g" x2="0" y2="1">
      <stop stop-color="#9ab"/><stop offset="1" stop-color="#555"/>
    </linearGradient></defs>
    <rect width="100%" height="100%" fill="url(#g)"/>
    <rect x="${x - plateWidth}" y="${y - plateWidth}" width="${plateWidth * 3}" height="${plateWidth * 1.8}"
      rx="20" fill="#234"/>
    <rect x="${x}" y="${y}" width="${plateWidth}" height="${plateHeight}" rx="6" fill="#eee"/>
    <text x="${x + plateWidth / 2}" y="${y + plateHeight * 0.68}" font-family="sans-serif" font-weight="bold"
      font-size="${plateHeight * 0.5}" textLength="${plateWidth * 0.86}"
      text-anchor="middle" fill="#123">${text}</text></svg>`
  return sharp(Buffer.from(svg)).toColourspace('srgb').png().toBuffer()
}

export async function jpeg(width: number, height: number, options: JpegOptions = {}): Promise<Buffer> {
  return sharp(await scene(width, height))
    .flatten()
    .jpeg({ quality: 80, ...options })
    .toBuffer()
}

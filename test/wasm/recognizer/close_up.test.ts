import { existsSync, readFileSync } from 'node:fs'
import sharp from 'sharp'
import t from 'tap'
import { readFrames } from '../../../engine/feeds/mod.js'
import { decodePicture } from '../../../wasm/node.js'
import { loadWasmFile, Recognizer } from '../../../wasm/internal_mod.js'

const FEED = 'bench/feeds/sample.mcap'
/** Plates from this width on are cut out; pixels. */
const LARGE = 90

interface Truth {
  passes: { camera: string; plate: string; frames: { t: string; width: number; quad: [number, number][] }[] }[]
}

t.test(
  'a picture of one plate is read as that plate',
  { skip: existsSync(FEED) ? false : `no ${FEED} in this checkout`, timeout: 120_000 },
  async (t) => {
    const recognizer = await Recognizer.create(
      await loadWasmFile('recognizer.wasm'),
      await loadWasmFile('platestream.psm'),
      { warmUps: 0 },
    )
    const { passes } = JSON.parse(readFileSync('bench/feeds/sample.truth.json', 'utf8')) as Truth
    // of each pass the frame in which its plate is largest
    const wanted = new Map(
      passes
        .filter((pass) => pass.frames.length > 0)
        .flatMap((pass) => {
          const largest = pass.frames.reduce((a, b) => (b.width > a.width ? b : a))
          return largest.width >= LARGE
            ? [[`${pass.camera} ${largest.t}`, { plate: pass.plate, quad: largest.quad }] as const]
            : []
        }),
    )
    let right = 0
    let filled = 0
    for await (const { camera, capturedAt, jpeg } of readFrames(FEED)) {
      const plate = wanted.get(`${camera} ${new Date(capturedAt).toISOString()}`)
      if (!plate) continue
      const xs = plate.quad.map(([x]) => x)
      const ys = plate.quad.map(([, y]) => y)
      const [left, top] = [Math.max(0, Math.floor(Math.min(...xs))), Math.max(0, Math.floor(Math.min(...ys)))]
      const { width, height } = await sharp(jpeg).metadata()
      const part = {
        left,
        top,
        width: Math.min(Math.ceil(Math.max(...xs)), width!) - left,
        height: Math.min(Math.ceil(Math.max(...ys)), height!) - top,
      }
      if (Math.min(part.width, part.height) < 32) continue
      const size = await decodePicture(await sharp(jpeg).extract(part).png().toBuffer(), recognizer)
      const [best, ...others] = recognizer.recognize(size.width, size.height)
      right += Number(best?.plate === plate.plate)
      filled += Number(others.length === 0)
    }
    const pictures = [...wanted].length
    t.ok(pictures >= 3, `${pictures} plates of ${LARGE} pixels or more`)
    t.ok(right >= 0.6 * pictures, `${right} of ${pictures} are read exactly`)
    t.equal(filled, pictures, 'no picture is read as two plates')
  },
)

t.test('a Windows bitmap decodes to the luma of its pixels, a broken one fails with a code', async (t) => {
  const [width, height] = [40, 36]
  const rows = Buffer.alloc(54 + width * height * 3)
  rows.write('BM')
  rows.writeUInt32LE(rows.length, 2)
  rows.writeUInt32LE(54, 10)
  rows.writeUInt32LE(40, 14)
  rows.writeInt32LE(width, 18)
  rows.writeInt32LE(height, 22)
  rows.writeUInt16LE(1, 26)
  rows.writeUInt16LE(24, 28)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rows.fill(y * 5 + x, 54 + ((height - 1 - y) * width + x) * 3, 54 + ((height - 1 - y) * width + x) * 3 + 3)
  let luma = new Uint8Array()
  const target = { lumaBuffer: (w: number, h: number) => (luma = new Uint8Array(w * h)) }
  t.same(await decodePicture(rows, target), { width, height })
  t.ok(
    luma.every((v, i) => v === Math.floor(i / width) * 5 + (i % width)),
    'grey values are unchanged, the first row is the top row',
  )
  await t.rejects(decodePicture(rows.subarray(0, 1000), target), { code: 'ALPR_ERR_FRAME_CORRUPT' })
  const large = Buffer.from(rows)
  large.writeInt32LE(2 ** 30, 18)
  await t.rejects(decodePicture(large, target), { code: 'ALPR_ERR_FRAME_TOO_LARGE' })
})

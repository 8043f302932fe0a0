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

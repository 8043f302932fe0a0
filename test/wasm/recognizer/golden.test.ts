import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { readFrames } from '../../../engine/feeds/mod.js'
import { decodeJpeg } from '../../../engine/mod.js'
import { loadWasmFile, Recognizer, type Detection } from '../../../wasm/internal_mod.js'

/**
 * Frames of the sample feed against two kinds of truth: the feed's own (which plate is where; any model must read a
 * good part of the large ones), and the golden file (this model on this luma: every number, bit for bit).
 * UPDATE_GOLDEN=1 rewrites the golden file, which belongs in the same commit as a new model.
 */
const FEED = 'bench/feeds/sample.mcap'
const GOLDEN = 'test/fixtures/golden_reads.json'
const EVERY = 29
/** Plates from this width on must be read; pixels. */
const LARGE = 60

interface Truth {
  passes: { camera: string; plate: string; frames: { t: string; width: number; quad: [number, number][] }[] }[]
}

interface Golden {
  model: string
  frames: { camera: string; at: string; luma: string; detections: unknown[] }[]
}

/** The compared form of a detection: all of it, with a digest of the positions. */
function plain(d: Detection): unknown {
  const positions = createHash('sha256')
    .update(Buffer.concat(d.positions.map((p) => Buffer.from(p.buffer, p.byteOffset, p.byteLength))))
    .digest('hex')
    .slice(0, 16)
  return { ...d, positions }
}

t.test(
  'frames of the sample feed give the golden reads',
  { skip: existsSync(FEED) ? false : `no ${FEED} in this checkout`, timeout: 120_000 },
  async (t) => {
    const truth = JSON.parse(readFileSync('bench/feeds/sample.truth.json', 'utf8')) as Truth
    const recognizer = await Recognizer.create(
      await loadWasmFile('recognizer.wasm'),
      await loadWasmFile('platestream.psm'),
      { warmUps: 0 },
    )
    const seen: Golden = { model: recognizer.modelId, frames: [] }
    let wanted = 0
    let read = 0
    let found = 0
    let index = 0
    for await (const frame of readFrames(FEED)) {
      if (index++ % EVERY !== 0) continue
      const { width, height } = decodeJpeg(frame.jpeg, recognizer)
      const luma = createHash('sha256').update(recognizer.lumaBuffer(width, height)).digest('hex').slice(0, 16)
      const detections = recognizer.recognize(width, height)
      const at = new Date(frame.capturedAt).toISOString()
      seen.frames.push({ camera: frame.camera, at, luma, detections: detections.map(plain) })
      for (const pass of truth.passes) {
        const place = pass.camera === frame.camera ? pass.frames.find((f) => f.t === at) : undefined
        if (!place || place.width < LARGE) continue
        wanted++
        read += Number(detections.some((d) => d.plate === pass.plate))
        found += Number(detections.some((d) => near(d.quad, place.quad)))
      }
    }
    t.ok(wanted >= 5, `${wanted} large plates in ${seen.frames.length} frames`)
    t.ok(read >= 0.4 * wanted, `${read} of them read exactly`)
    t.ok(found >= 0.4 * wanted, `${found} of them found, all corners within a third of the height`)
    compare(t, seen)
  },
)

/** Every corner within a third of the plate's height. */
function near(quad: Detection['quad'], truth: [number, number][]): boolean {
  const height = Math.hypot(truth[3]![0] - truth[0]![0], truth[3]![1] - truth[0]![1])
  return quad.every(([x, y], i) => Math.hypot(x - truth[i]![0], y - truth[i]![1]) < height / 3)
}

function compare(t: Test, seen: Golden): void {
  if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, `${JSON.stringify(seen, null, 1)}\n`)
  const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as Golden
  if (golden.model !== seen.model) {
    t.comment(`the golden file is of model ${golden.model}, this is ${seen.model}: UPDATE_GOLDEN=1 rewrites it`)
    return
  }
  for (const [i, frame] of seen.frames.entries()) {
    const before = golden.frames[i]
    // another build of the JPEG decoder may round differently; the same luma must give the same bits
    if (before?.luma === frame.luma)
      t.same(JSON.parse(JSON.stringify(frame.detections)), before.detections, `${frame.camera} ${frame.at}`)
    else t.comment(`${frame.camera} ${frame.at}: different luma`)
  }
}

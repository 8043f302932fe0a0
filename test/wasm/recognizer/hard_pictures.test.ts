import { existsSync } from 'node:fs'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { readFrames } from '../../../engine/feeds/mod.js'
import { decodeJpeg } from '../../../engine/mod.js'
import { openRecognizer, type Detection } from '../../../wasm/node.js'

/**
 * Hard pictures, composed from cars of the sample feed: no trap, bounded work, honest confidence. Work is counted in
 * runs of the nets, not in time. The requirements hold for every model; a model that fails here is not good enough.
 */
const FEED = 'bench/feeds/sample.mcap'
/** People may rely on a read with at least this confidence. */
const CONFIDENT = 0.5
/** Cuts around a plate, in plate widths. */
const CUT_WIDTHS = 4
const CUT_HEIGHTS = 2

interface Grey {
  width: number
  height: number
  luma: Uint8Array
}

/** A plate that the recognizer reads with high confidence, its surroundings and its text. */
interface Car extends Grey {
  plate: string
}

const recognizer = await openRecognizer({ warmUps: 0 })
/**
 * Most boxes that get a fine look (MAX_CANDIDATES): with many high scores, more than the model's `candidates`.
 */
const MOST_LOOKS = 16

/** Work of one picture: fine looks, and plates passed to the reader. */
let looks = 0
let readings = 0
const { lookAt, readAt } = recognizer['wasm']
Object.assign(recognizer, {
  wasm: {
    ...recognizer['wasm'],
    lookAt: (box: number) => (looks++, lookAt(box)),
    readAt: (plate: number) => (readings++, readAt(plate)),
  },
})

function recognize({ width, height, luma }: Grey): Detection[] {
  looks = readings = 0
  recognizer.lumaBuffer(width, height).set(luma)
  return recognizer.recognize(width, height)
}

/** Requirements of every picture. */
function checkBounds(t: Test, detections: Detection[], what: string): void {
  t.ok(
    looks <= MOST_LOOKS && readings <= looks && detections.length <= readings,
    `${what}: ${looks} looks, ${readings} readings, ${detections.length} detections`,
  )
  t.ok(
    detections.every((d) => d.confidence >= 0 && d.confidence <= 1 && d.quad.flat().every(Number.isFinite)),
    `${what}: finite, confidence is a probability`,
  )
}

/** Confident reads, as text for the list of failures. */
const confident = (detections: Detection[], what: string) =>
  detections
    .filter((d) => d.confidence >= CONFIDENT)
    .map((d) => {
      const quad = process.env.QUADS ? JSON.stringify(d.quad.map((c) => c.map(Math.round))) : ''
      return `${what}: ${d.plate} ${d.confidence.toFixed(2)} ${quad}`
    })

/** Known failures of a shipped model, which its card lists; a later model must not have them. */
const KNOWN: Record<string, { cut?: string; turned?: string }> = {
  '796613458effa7b4': { turned: 'two turned plates: three letters each, most of them the same in a mirror' },
}
const { cut, turned } = KNOWN[recognizer.modelId] ?? {}

async function carsOfFeed(most: number): Promise<Car[]> {
  const cars = new Map<string, Car>()
  let index = 0
  for await (const { jpeg } of readFrames(FEED)) {
    if (index++ % 7 !== 0) continue
    let luma: Uint8Array = new Uint8Array(0)
    const { width, height } = decodeJpeg(jpeg, { lumaBuffer: (w, h) => (luma = new Uint8Array(w * h)) })
    for (const { plate, confidence, quad, quality } of recognize({ width, height, luma })) {
      if (confidence < 0.95 || quality.widthPx < 60 || cars.has(plate)) continue
      const cut = { width: Math.round(CUT_WIDTHS * quality.widthPx), height: Math.round(CUT_HEIGHTS * quality.widthPx) }
      const left = Math.round((quad[0][0] + quad[2][0] - cut.width) / 2)
      const top = Math.round((quad[0][1] + quad[2][1] - cut.height) / 2)
      if (left < 0 || top < 0 || left + cut.width > width || top + cut.height > height) continue
      cars.set(plate, { plate, ...cut, luma: cutOut(luma, width, left, top, cut) })
    }
    if (cars.size >= most) break
  }
  return [...cars.values()]
}

function cutOut(
  luma: Uint8Array,
  stride: number,
  left: number,
  top: number,
  { width, height }: { width: number; height: number },
): Uint8Array {
  const out = new Uint8Array(width * height)
  for (let y = 0; y < height; y++)
    out.set(luma.subarray((top + y) * stride + left, (top + y) * stride + left + width), y * width)
  return out
}

/**
 * A grey background with pictures, blended in over a tenth of their sides (a sharp rectangle looks like a plate itself)
 * and clipped to the frame.
 */
function collage(width: number, height: number, parts: { picture: Grey; left: number; top: number }[]): Grey {
  const luma = new Uint8Array(width * height).fill(96)
  for (const { picture, left, top } of parts) {
    for (let y = Math.max(0, -top); y < picture.height && top + y < height; y++) {
      for (let x = Math.max(0, -left); x < picture.width && left + x < width; x++) {
        const at = (top + y) * width + left + x
        const inside = Math.min(
          1,
          (10 * Math.min(x, picture.width - 1 - x)) / picture.width,
          (10 * Math.min(y, picture.height - 1 - y)) / picture.height,
        )
        luma[at] = Math.round(luma[at]! + (picture.luma[y * picture.width + x]! - luma[at]!) * inside)
      }
    }
  }
  return { width, height, luma }
}

/** The picture mirrored left to right. */
function mirrored({ width, height, luma }: Grey): Grey {
  return { width, height, luma: luma.map((_, i) => luma[i - (i % width) + width - 1 - (i % width)]!) }
}

const upsideDown = ({ width, height, luma }: Grey): Grey => ({ width, height, luma: luma.slice().reverse() })

t.test(
  'hard pictures give no wrong confident reads',
  { skip: existsSync(FEED) ? false : `no ${FEED} in this checkout`, timeout: 240_000 },
  async (t) => {
    const cars = await carsOfFeed(10)
    const [first, second] = cars as [Car, Car]
    t.ok(cars.length >= 8, `${cars.length} cars to compose from`)
    const scene = (picture: Grey) =>
      collage(1280, 720, [{ picture, left: (1280 - picture.width) >> 1, top: (720 - picture.height) >> 1 }])

    t.test('a car on a grey background is still read', async (t) => {
      const right = cars.filter((car) => recognize(scene(car)).some((d) => d.plate === car.plate)).length
      t.ok(
        right >= 0.8 * cars.length,
        `${right} of ${cars.length}: the following tests are about the plates, not the background`,
      )
    })

    t.test('two cars in one frame are two reads', async (t) => {
      const detections = recognize(
        collage(1280, 720, [
          { picture: first, left: 100, top: 300 },
          { picture: second, left: 750, top: 200 },
        ]),
      )
      checkBounds(t, detections, 'two cars')
      t.same(detections.map((d) => d.plate).sort(), [first.plate, second.plate].sort())
    })

    t.test('twenty plates in a car park take bounded work, and confident reads are right', async (t) => {
      const parts = Array.from({ length: 20 }, (_, i) => ({
        picture: cars[i % cars.length]!,
        left: 20 + (i % 5) * 370,
        top: 20 + Math.floor(i / 5) * 260,
      }))
      const detections = recognize(collage(1900, 1080, parts))
      checkBounds(t, detections, 'twenty plates')
      t.ok(detections.length >= 5, `${detections.length} of twenty are read`)
      const known = new Set(cars.map(({ plate }) => plate))
      t.same(
        detections.filter((d) => d.confidence >= 0.9 && !known.has(d.plate)).map((d) => d.plate),
        [],
      )
      const middles = detections.map(
        ({ quad }) => `${Math.round((quad[0][0] + quad[2][0]) / 40)},${Math.round((quad[0][1] + quad[2][1]) / 40)}`,
      )
      t.equal(new Set(middles).size, middles.length, 'no plate twice')
    })

    t.test('a plate cut by the edge is not read as a whole one', async (t) => {
      const wrong: string[] = []
      for (const car of cars) {
        // the plate is a quarter of the cut, in its middle: the frame ends within it
        for (const part of [0.35, 0.5, 0.65]) {
          const shown = Math.round(car.width * (0.375 + 0.25 * part))
          for (const [edge, left] of [
            ['right', 1280 - shown],
            ['left', shown - car.width],
          ] as const) {
            const detections = recognize(collage(1280, 720, [{ picture: car, left, top: 300 }]))
            checkBounds(t, detections, `${car.plate} cut at the ${edge}`)
            wrong.push(...confident(detections, `${Math.round(part * 100)} % of ${car.plate} at the ${edge} edge`))
          }
        }
      }
      t.same(wrong, [], 'no confident read', { todo: cut })
    })

    t.test('upside down and mirrored plates give no confident read', async (t) => {
      const wrong: string[] = []
      for (const car of cars) {
        for (const [how, turned] of [
          ['upside down', upsideDown(car)],
          ['mirrored', mirrored(car)],
          ['both', mirrored(upsideDown(car))],
        ] as const) {
          const detections = recognize(scene(turned))
          checkBounds(t, detections, `${car.plate} ${how}`)
          wrong.push(...confident(detections, `${car.plate} ${how}`))
        }
      }
      t.same(wrong, [], 'no confident read', { todo: turned })
    })

    t.test('a wall of text gives no confident reads', async (t) => {
      const lines = [
        'PARKING FOR CUSTOMERS ONLY',
        'OPEN 24 HOURS 7 DAYS',
        'CALL 555 0134 FOR TOWING',
        'UNAUTHORIZED VEHICLES',
        'WILL BE REMOVED AT THE',
        'EXPENSE OF THE OWNER',
        'CVC 22658 A',
        'CITY ORDINANCE 10 44 020',
      ]
      for (const size of [28, 60]) {
        const rows = Array.from(
          { length: Math.floor(700 / (size * 1.2)) },
          (_, i) =>
            `<text x="20" y="${(i + 1) * size * 1.2}" font-size="${size}">` +
            `${lines[i % lines.length]} ${lines[(i + 3) % lines.length]}</text>`,
        )
        const svg =
          '<svg xmlns="http://www.w3.org/2000/svg" width="1280" height="720">' +
          '<rect width="1280" height="720" fill="#f2f2f2"/>' +
          `<g font-family="sans-serif" font-weight="bold" fill="#222">${rows.join('')}</g></svg>`
        const luma = new Uint8Array(
          await sharp(Buffer.from(svg)).flatten().toColourspace('b-w').extractChannel(0).raw().toBuffer(),
        )
        t.ok(new Set(luma).size > 20, 'the text is rendered')
        const detections = recognize({ width: 1280, height: 720, luma })
        checkBounds(t, detections, `text of ${size} pixels`)
        t.same(confident(detections, 'text'), [], `text of ${size} pixels: no confident read`)
      }
    })
  },
)

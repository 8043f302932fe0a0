import fc from 'fast-check'
import t from 'tap'
import { loadWasmFile, PIXEL_BYTES, Shrinker } from '../../../wasm/internal_mod.js'

const shrinker = new Shrinker(await WebAssembly.compile((await loadWasmFile('shrink.wasm')) as Uint8Array<ArrayBuffer>))

/** The exact mean of the area that a new pixel covers. */
function meanOf(
  pixels: Uint8Array,
  stride: number,
  area: { left: number; top: number; width: number; height: number },
  size: { width: number; height: number },
  x: number,
  y: number,
  channel: number,
): number {
  const [fx, fy] = [area.width / size.width, area.height / size.height]
  let sum = 0
  for (let sy = Math.floor(y * fy); sy < Math.ceil((y + 1) * fy - 1e-9); sy++) {
    for (let sx = Math.floor(x * fx); sx < Math.ceil((x + 1) * fx - 1e-9); sx++) {
      const share =
        (Math.min(sx + 1, (x + 1) * fx) - Math.max(sx, x * fx)) *
        (Math.min(sy + 1, (y + 1) * fy) - Math.max(sy, y * fy))
      sum += share * pixels[(area.top + sy) * stride + (area.left + sx) * PIXEL_BYTES + channel]!
    }
  }
  return sum / (fx * fy)
}

t.setTimeout(120_000)

t.test('every new pixel is the mean of the area that it covers, within the precision of the weights', async (_t) => {
  const sizes = fc.record({ width: fc.integer({ min: 1, max: 70 }), height: fc.integer({ min: 1, max: 50 }) })
  fc.assert(
    fc.property(sizes, sizes, fc.nat(9), fc.nat(9), fc.integer(), (frame, wanted, left, top, seed) => {
      const area = { left: Math.min(left, frame.width - 1), top: Math.min(top, frame.height - 1), width: 0, height: 0 }
      area.width = frame.width - area.left
      area.height = frame.height - area.top
      const size = {
        width: Math.max(Math.ceil(area.width / 32), Math.min(wanted.width, area.width)),
        height: Math.max(Math.ceil(area.height / 32), Math.min(wanted.height, area.height)),
      }
      const pixels = shrinker.open(frame, [size])
      let state = seed
      for (let i = 0; i < pixels.length; i++) pixels[i] = (state = Math.imul(state, 1_664_525) + 1_013_904_223) >>> 24
      const source = pixels.slice()
      const made = shrinker.shrink(area, size)
      // Each weight is off by at most half a 256th, so a pixel of full brightness by half a level.
      const allowed = 1.5 + 0.5 * (Math.ceil(area.width / size.width) + Math.ceil(area.height / size.height))
      let total = 0
      for (let y = 0; y < size.height; y++)
        for (let x = 0; x < size.width; x++)
          for (let c = 0; c < PIXEL_BYTES; c++) {
            const mean = meanOf(source, frame.width * PIXEL_BYTES, area, size, x, y, c)
            const error = Math.abs(made[(y * size.width + x) * PIXEL_BYTES + c]! - mean)
            if (error > allowed) return false
            total += error
          }
      return total / made.length < 1.2
    }),
    { numRuns: 300 },
  )
})

t.test('an even picture is unchanged in every size; the same size is a copy', async (t) => {
  const frame = { width: 1_280, height: 720 }
  for (const level of [0, 1, 127, 254, 255]) {
    for (const size of [
      { width: 800, height: 450 },
      { width: 1_279, height: 719 },
      { width: 40, height: 23 },
    ]) {
      shrinker.open(frame, [size]).fill(level)
      t.ok(shrinker.shrink({ left: 0, top: 0, ...frame }, size).every((value) => value === level))
    }
  }
  const pixels = shrinker.open({ width: 37, height: 11 }, [{ width: 37, height: 11 }])
  for (let i = 0; i < pixels.length; i++) pixels[i] = i * 7
  t.same(shrinker.shrink({ left: 0, top: 0, width: 37, height: 11 }, { width: 37, height: 11 }), pixels.slice())
})

t.test('several targets of one picture do not overlap; the largest frame fits', async (t) => {
  const sizes = [
    { width: 10, height: 10 },
    { width: 20, height: 10 },
  ]
  shrinker.open({ width: 100, height: 100 }, sizes).fill(50)
  const first = shrinker.shrink({ left: 0, top: 0, width: 10, height: 10 }, sizes[0]!)
  const second = shrinker.shrink({ left: 0, top: 0, width: 100, height: 100 }, sizes[1]!)
  second.fill(9)
  t.ok(first.every((value) => value === 50))
  const large = new Shrinker(await WebAssembly.compile((await loadWasmFile('shrink.wasm')) as Uint8Array<ArrayBuffer>))
  large.open({ width: 8_192, height: 4_882 }, [{ width: 800, height: 477 }]).fill(200)
  t.ok(
    large
      .shrink({ left: 0, top: 0, width: 8_192, height: 4_882 }, { width: 800, height: 477 })
      .every((value) => value === 200),
  )
})

t.test('a size that is larger, or more than 32 times smaller, is refused', async (t) => {
  shrinker.open({ width: 99, height: 99 }, [{ width: 99, height: 99 }])
  const of = (size: { width: number; height: number }) => () =>
    shrinker.shrink({ left: 0, top: 0, width: 99, height: 99 }, size)
  for (const size of [
    { width: 3, height: 9 },
    { width: 9, height: 3 },
    { width: 100, height: 9 },
    { width: 9, height: 100 },
    { width: 0, height: 9 },
  ])
    t.throws(of(size), RangeError)
  t.equal(of({ width: 4, height: 4 })().length, 64)
})

import t from 'tap'
import { writeNet } from './psm_writer.js'
import { loadProbe } from './probe.js'
import { Random } from '../random.js'
import { randomConv } from './random_nets.js'
import { normaliseTwin, pyramidTwin, sampleTwin, type TwinLevel } from '../twin/pyramid.js'

const probe = await loadProbe()
const MB = 1 << 20

/** A random picture of steps and noise in the module's memory, its pyramid built there and in the twin. */
function picture(random: Random, width: number, height: number): TwinLevel[] {
  const base = probe.probeStage(64 * MB)
  const levels = probe.probePyramid(base, width, height)
  const luma = new Uint8Array(probe.memory.buffer, base, width * height)
  for (let i = 0; i < luma.length; i++)
    luma[i] = (((i % width) >> 3) * 40 + ((i / width) >> 2) * 25 + random.whole(0, 60)) & 255
  const twin = pyramidTwin(width, height, luma.slice())
  probe.probeBuildPyramid()
  if (levels !== twin.length) throw new Error(`${levels} levels instead of ${twin.length}`)
  return twin
}

/** Largest difference between the f32 values at `out` and the expected ones. */
function farthest(out: number, wanted: number[]): number {
  const values = new Float32Array(probe.memory.buffer, out, wanted.length)
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - values[i]!)), 0)
}

t.setTimeout(120_000)

t.test('pyramid levels are bit-equal to the twin', (t) => {
  const random = new Random(1)
  for (const [width, height] of [
    [64, 64],
    [127, 65],
    [333, 517],
    [1280, 720],
    [32, 4000],
    [4001, 33],
    [63, 63],
  ] as const) {
    const twin = picture(random, width, height)
    twin.forEach((level, l) => {
      const at = probe.probeLevel(l)
      const same =
        Buffer.compare(Buffer.from(probe.memory.buffer, at, level.pixels.length), Buffer.from(level.pixels)) === 0
      t.ok(same, `${width}x${height}, level ${l}: ${level.width}x${level.height}`)
    })
  }
  t.end()
})

t.test('windows inside, across and outside the frame match the twin, enlarged and reduced', (t) => {
  const random = new Random(2)
  const out = probe.probeStage(64 * MB) + 32 * MB
  for (let i = 0; i < 40; i++) {
    const width = random.whole(32, 700)
    const height = random.whole(32, 500)
    const levels = picture(random, width, height)
    const w = random.pick([20, 90, 300, 900, 5000]) * (0.5 + random.next())
    const h = w * (0.3 + random.next())
    const left = random.next() * (width + w) - w
    const top = random.next() * (height + h) - h
    const ow = random.whole(1, 90)
    const oh = random.whole(1, 50)
    probe.probeWindow(left, top, w, h, ow, oh, out)
    const scale = Math.max(w / ow, h / oh)
    const wanted = Array.from({ length: ow * oh }, (_, k) =>
      sampleTwin(levels, left + ((k % ow) + 0.5) * (w / ow), top + (Math.floor(k / ow) + 0.5) * (h / oh), scale),
    )
    const off = farthest(out, wanted)
    t.ok(
      off < 0.01,
      `${w.toFixed(1)}x${h.toFixed(1)} at ${left.toFixed(1)},${top.toFixed(1)} of ${width}x${height} ` +
        `to ${ow}x${oh}: off by ${off}`,
    )
  }
  t.end()
})

t.test('a homography maps the corners of the unit square to the quad and rectifies like the twin', (t) => {
  const random = new Random(3)
  const scratch = probe.probeStage(64 * MB) + 32 * MB
  const out = scratch + 4096
  for (let i = 0; i < 40; i++) {
    const width = random.whole(64, 4000)
    const height = random.whole(64, 3000)
    const levels = picture(random, width, height)
    const w = 20 + random.next() * 400
    const h = w * (0.2 + random.next() * 0.4)
    const x = random.next() * width - w / 2
    const y = random.next() * height - h / 2
    const shake = () => (random.next() - 0.5) * 0.3 * h
    const quad = [x, y, x + w, y, x + w, y + h, x, y + h].map((v) => v + shake())
    new Float64Array(probe.memory.buffer, scratch, 8).set(quad)
    probe.probeHomography(scratch, scratch + 64)
    const m = new Float64Array(probe.memory.buffer, scratch + 64, 9).slice()
    const map = (u: number, v: number) => {
      const z = m[6]! * u + m[7]! * v + m[8]!
      return [(m[0]! * u + m[1]! * v + m[2]!) / z, (m[3]! * u + m[4]! * v + m[5]!) / z] as const
    }
    const corners = [map(0, 0), map(1, 0), map(1, 1), map(0, 1)].flat()
    t.ok(
      corners.every((value, k) => Math.abs(value - quad[k]!) < 1e-6),
      'corners',
    )
    const [ow, oh] = [random.whole(8, 160), random.whole(8, 48)]
    const scale = Math.max(w / ow, h / oh, 1)
    probe.probeRectify(scratch + 64, scale, ow, oh, out)
    const wanted = Array.from({ length: ow * oh }, (_, k) => {
      const [px, py] = map(((k % ow) + 0.5) / ow, (Math.floor(k / ow) + 0.5) / oh)
      return sampleTwin(levels, px, py, scale)
    })
    const off = farthest(out, wanted)
    t.ok(off < 0.1, `${w.toFixed(0)}x${h.toFixed(0)} in ${width}x${height} to ${ow}x${oh}: off by ${off}`)
  }
  t.end()
})

t.test('each of two lines covers 54 % of the height and fills the input', (t) => {
  const random = new Random(5)
  const scratch = probe.probeStage(64 * MB) + 32 * MB
  const out = scratch + 4096
  const [ow, oh] = [160, 48]
  for (let i = 0; i < 10; i++) {
    const levels = picture(random, random.whole(64, 700), random.whole(64, 500))
    const w = 30 + random.next() * 200
    const h = w * (0.5 + random.next() * 0.4)
    const [x, y, lean] = [
      random.next() * levels[0]!.width - w / 2,
      random.next() * levels[0]!.height - h / 2,
      (random.next() - 0.5) * 0.4,
    ]
    // a parallelogram: its parts are parallelograms too, so where a point lies needs no homography
    const corner = (u: number, v: number) => [x + u * w + v * h * lean, y + v * h] as const
    new Float64Array(probe.memory.buffer, scratch, 8).set(
      [corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 1)].flat(),
    )
    const lower = i % 2 === 1
    probe.probeLine(scratch, lower ? 2 : 1, ow, oh, out)
    const scale = Math.max(w / ow, (0.54 * h * Math.hypot(1, lean)) / oh, 1)
    const wanted = Array.from({ length: ow * oh }, (_, k) => {
      const u = ((k % ow) + 0.5) / ow
      const v = ((Math.floor(k / ow) + 0.5) / oh) * 0.54 + (lower ? 0.46 : 0)
      return sampleTwin(levels, ...corner(u, v), scale)
    })
    const off = farthest(out, wanted)
    t.ok(off < 0.1, `${w.toFixed(0)}x${h.toFixed(0)}: off by ${off}`)
  }
  t.end()
})

t.test('normalising is within one unit of the exact value, also for flat pictures', async (t) => {
  const random = new Random(4)
  const probe = await loadProbe()
  const blob = writeNet({ kind: 1, height: 32, width: 48, layers: [randomConv(random, 0, 1, 8)] })
  const at = probe.stageBlob(blob.length)
  new Uint8Array(probe.memory.buffer, at, blob.length).set(blob)
  probe.addNet(at)
  const net = probe.probeNet(1, 32, 48)
  const samples = probe.probeStage(2 * MB) + MB
  const interior = new Uint32Array(probe.memory.buffer, probe.probeTensor(net, 0), 8)[7]!
  const check = (name: string, make: () => number) => {
    const values = new Float32Array(probe.memory.buffer, samples, 32 * 48).map(make)
    new Float32Array(probe.memory.buffer, samples, values.length).set(values)
    probe.probeNormalise(samples, net)
    const wanted = normaliseTwin(values)
    let off = 0
    for (let y = 0; y < 32; y++) {
      const row = new Int16Array(probe.memory.buffer, interior + y * 50 * 2, 48)
      row.forEach((value, x) => {
        off = Math.max(off, Math.abs(value - wanted[y * 48 + x]!))
      })
    }
    t.ok(off < 0.6, `${name}: off by ${off}`)
  }
  check('noise', () => random.whole(0, 255))
  check('flat', () => 77)
  check('nearly flat', () => 77 + random.next())
  check('one bright spot', () => (random.next() < 0.002 ? 255 : 3))
})

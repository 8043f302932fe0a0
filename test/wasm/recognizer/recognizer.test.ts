import t, { type Test } from 'tap'
import { CHARACTERS, loadWasmFile, NONE, Recognizer, type WasmError } from '../../../wasm/internal_mod.js'
import { writeModel, writeNet } from './psm_writer.js'
import { Random } from '../random.js'
import { randomFinder, randomIssuer, randomReader } from './random_nets.js'

const wasm = await loadWasmFile('recognizer.wasm')

/** A model of random nets with all thresholds at zero, so that every stage runs. */
function permissive(seed: number): Uint8Array {
  const random = new Random(seed)
  const cascade = {
    coarseFloor: 0,
    candidates: 16,
    fineZoom: 2,
    fineFloor: 0,
    readMargins: [0, 0.1],
    beam: 32,
    readFloor: 0,
    calibA: 1,
    calibB: 0,
  }
  const nets = [randomFinder(random, 1, 64, 96, 5), randomFinder(random, 2, 48, 96, 9), randomReader(random)]
  // corners near those of a plate, so that quads are convex and get read
  const corners = nets[1]!.layers.at(-1)!
  corners.multipliers = corners.multipliers.map((m) => m * 0.02)
  corners.biases = Float32Array.of(0, -1, -0.4, 1, -0.4, 1, 0.4, -1, 0.4)
  // odd seeds name regions, so that both forms of a model run
  if (seed % 2 === 0) return writeModel(nets.map(writeNet), { cascade })
  return writeModel([...nets, randomIssuer(random, 3)].map(writeNet), { cascade, regions: ['US-CA', 'FR', 'BR'] })
}

const trained = await loadWasmFile('platestream.psm')

function checkDetections(t: Test, width: number, height: number, recognizer: Recognizer): number {
  const detections = recognizer.recognize(width, height)
  t.ok(detections.length <= 16)
  for (const d of detections) {
    const ok =
      /^[0-9A-Z]{3,12}$/.test(d.plate) &&
      d.confidence >= 0 &&
      d.confidence <= 1 &&
      d.score >= 0 &&
      d.score <= 1 &&
      d.positions.length === d.plate.length &&
      d.quad.flat().every(Number.isFinite) &&
      d.positions.every(
        (p) => p.length === 37 && Math.abs(p.reduce((a, b) => a + b, 0) - 1) < 1e-3 && p.every((v) => v > 0),
      ) &&
      d.alternates.length <= 5 &&
      d.alternates.every((a) => a.plate !== d.plate && a.confidence <= d.confidence + 1e-6) &&
      Object.values(d.quality).every(Number.isFinite)
    if (!ok) t.fail(JSON.stringify(d))
  }
  return detections.length
}

t.setTimeout(120_000)

t.test('any picture of any size returns: no trap, no hang', { timeout: 120_000 }, async (t) => {
  const seconds = Number(process.env.FUZZ_SECONDS ?? 10)
  const models = await Promise.all([
    Recognizer.create(wasm, permissive(1), { warmUps: 1 }),
    Recognizer.create(wasm, permissive(2), { warmUps: 1 }),
    Recognizer.create(wasm, trained, { warmUps: 1 }),
  ])
  const random = new Random(Number(process.env.FUZZ_SEED ?? 1))
  const sides = [32, 33, 47, 48, 63, 64, 65, 127, 320, 719, 1280]
  const start = performance.now()
  let frames = 0
  let detections = 0
  while (performance.now() - start < seconds * 1000) {
    const extreme = random.next() < 0.1
    const width = extreme
      ? random.pick([32, 8192, 5000])
      : random.next() < 0.5
        ? random.pick(sides)
        : random.whole(32, 1500)
    const height = extreme
      ? width > 3000
        ? random.whole(32, 100)
        : random.pick([8192, 3000, 32])
      : random.next() < 0.5
        ? random.pick(sides)
        : random.whole(32, 900)
    const recognizer = random.pick(models)
    const luma = recognizer.lumaBuffer(width, height)
    t.equal(luma.length, width * height)
    const kind = random.whole(0, 4)
    if (kind === 0) luma.fill(random.whole(0, 255))
    else if (kind === 1) for (let i = 0; i < luma.length; i++) luma[i] = random.next() * 256
    else if (kind === 2) for (let i = 0; i < luma.length; i++) luma[i] = ((i % width) * 255) / width
    else if (kind === 3) for (let i = 0; i < luma.length; i++) luma[i] = ((i >> 3) ^ ((i / width) >> 3)) & 1 ? 255 : 0
    // kind 4: the present contents of the memory
    detections += checkDetections(t, width, height, recognizer)
    frames++
  }
  t.ok(detections > 0, `${frames} frames, ${detections} detections`)
})

t.test('the largest frame is accepted, a larger side is refused', async (t) => {
  const recognizer = await Recognizer.create(wasm, trained, { warmUps: 0 })
  recognizer.lumaBuffer(8192, 8192)
  t.same(recognizer.recognize(8192, 8192), [], 'an empty frame of the largest size has no plate')
  const refused = (width: number, height: number) => {
    try {
      recognizer.lumaBuffer(width, height)
    } catch (error) {
      return (error as WasmError).code
    }
    return undefined
  }
  for (const [width, height] of [
    [31, 100],
    [100, 31],
    [8193, 100],
    [100, 8193],
    [0, 0],
    [-5, 64],
    [64.5, 64],
    [NaN, 64],
    [2 ** 31, 64],
    [2 ** 32 + 64, 64],
  ] as const) {
    t.equal(refused(width, height), 'ALPR_ERR_IMAGE_SIZE', `${width}x${height}`)
  }
  t.equal(refused(64, 64), undefined, 'a valid size works after a refusal')
})

t.test('the same luma gives the same detections after any previous frames', async (t) => {
  const model = permissive(3)
  const random = new Random(5)
  const picture = Uint8Array.from({ length: 640 * 360 }, () => random.whole(0, 255))
  const fresh = await Recognizer.create(wasm, model, { warmUps: 0 })
  fresh.lumaBuffer(640, 360).set(picture)
  const wanted = fresh.recognize(640, 360)
  t.ok(wanted.length > 0, `${wanted.length} detections`)
  const used = await Recognizer.create(wasm, model, { warmUps: 3 })
  for (const [width, height] of [
    [1920, 1080],
    [33, 700],
    [640, 360],
    [1280, 720],
  ] as const) {
    used.lumaBuffer(width, height).fill(random.whole(0, 255))
    used.recognize(width, height)
  }
  used.lumaBuffer(640, 360).set(picture)
  t.same(used.recognize(640, 360), wanted)
  used.lumaBuffer(640, 360).set(picture)
  t.same(used.recognize(640, 360), wanted, 'twice')
})

t.test('a frame size that was used before needs no more memory', async (t) => {
  const recognizer = await Recognizer.create(wasm, trained, { warmUps: 0 })
  const first = recognizer.lumaBuffer(1920, 1080).buffer
  for (let i = 0; i < 5; i++) {
    recognizer.lumaBuffer(640, 480)
    recognizer.recognize(640, 480)
    recognizer.lumaBuffer(1920, 1080)
    recognizer.recognize(1920, 1080)
  }
  t.equal(recognizer.lumaBuffer(1920, 1080).buffer, first, 'the memory did not grow again')
})

t.test('positions agree with text and confidence', async (t) => {
  const recognizer = await Recognizer.create(wasm, permissive(4), { warmUps: 0 })
  const random = new Random(6)
  const luma = recognizer.lumaBuffer(320, 200)
  for (let i = 0; i < luma.length; i++) luma[i] = random.whole(0, 255)
  const detections = recognizer.recognize(320, 200)
  t.ok(detections.length > 0)
  for (const d of detections) {
    const product = d.positions.reduce((p, position, i) => p * position[CHARACTERS.indexOf(d.plate[i]!)]!, 1)
    const sureAsCan = d.positions.every((p) => p[NONE]! >= 0)
    t.ok(
      (sureAsCan && product <= d.confidence + 0.02) || product < 1e-2,
      `${d.plate}: product ${product}, confidence ${d.confidence}`,
    )
  }
})

t.test('an invalid module or model fails with a code', async (t) => {
  await t.rejects(Recognizer.create(new Uint8Array(10), trained), { code: 'ALPR_ERR_MODULE_INVALID' })
  await t.rejects(Recognizer.create(await loadWasmFile('matcher.wasm'), trained), { code: 'ALPR_ERR_MODULE_INVALID' })
  await t.rejects(Recognizer.create(wasm, new Uint8Array(100)), { code: 'ALPR_ERR_MODEL_INVALID' })
})

t.test('the recognizer has a description and ids', async (t) => {
  const recognizer = await Recognizer.create(wasm, trained, { warmUps: 0 })
  t.match(recognizer.describe(), /platestream recognizer/)
  t.match(recognizer.moduleId, /^[0-9a-f]{16}$/)
  t.match(recognizer.modelId, /^[0-9a-f]{16}$/)
})

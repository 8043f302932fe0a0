import sharp from 'sharp'
import t from 'tap'
import { Renderer } from '../../../engine/pictures/renderer.js'
import type { Quad } from '../../../wasm/mod.js'

/** A grey frame with a red plate at 400,300 of 100 x 50 pixels. */
const frame = async () =>
  sharp({ create: { width: 1280, height: 720, channels: 3, background: '#808080' } })
    .composite([
      { input: { create: { width: 100, height: 50, channels: 3, background: '#ff0000' } }, left: 400, top: 300 },
    ])
    .jpeg()
    .toBuffer()

const quadAt = (x: number, y: number): Quad => [
  [x, y],
  [x + 100, y],
  [x + 100, y + 50],
  [x, y + 50],
]

t.setTimeout(120_000)

t.test('the crop shows the plate with a margin, the picture the whole reduced frame', async (t) => {
  const { crop, picture } = await (await Renderer.create(1))[0]!.render(await frame(), quadAt(400, 300))
  t.match(await sharp(crop).metadata(), { format: 'jpeg', width: 150, height: 100 })
  t.match(await sharp(picture).metadata(), { format: 'jpeg', width: 800, height: 450 })
  const { data, info } = await sharp(crop).raw().toBuffer({ resolveWithObject: true })
  const middle = (50 * info.width + 75) * 3
  t.ok(data[middle]! > 200 && data[middle + 1]! < 60, 'the plate is in the middle')
})

t.test('a plate that is partly or wholly outside the frame still gives pictures', async (t) => {
  for (const quad of [quadAt(-50, -20), quadAt(1_230, 700), quadAt(5_000, 5_000), quadAt(-900, -900)]) {
    const { crop } = await (await Renderer.create(1))[0]!.render(await frame(), quad)
    const { width, height } = await sharp(crop).metadata()
    t.ok(width! >= 1 && height! >= 1)
  }
})

t.test('one renderer renders frames of any size, one after the other', async (t) => {
  const [renderer] = await Renderer.create(1)
  const grey = async (width: number, height: number, level: number) =>
    sharp({ create: { width, height, channels: 3, background: { r: level, g: level, b: level } } })
      .jpeg()
      .toBuffer()
  for (const [width, height, level] of [
    [640, 360, 60],
    [4_200, 2_400, 120],
    [320, 200, 180],
    [1_281, 721, 240],
  ] as const) {
    const { picture } = await renderer!.render(await grey(width, height, level), quadAt(10, 10))
    const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true })
    t.equal(info.width, Math.min(width, 800))
    t.equal(info.height, Math.round(height * Math.min(1, 800 / width)))
    t.ok(
      data.every((value) => Math.abs(value - level) <= 2),
      'the picture has nothing of the previous frame',
    )
  }
})

t.test('an infra-red frame without colour gives pictures', async (t) => {
  const { picture } = await (await Renderer.create(1))[0]!.render(
    await sharp(await frame())
      .greyscale()
      .jpeg()
      .toBuffer(),
    quadAt(400, 300),
  )
  t.match(await sharp(picture).metadata(), { format: 'jpeg', width: 800, height: 450 })
})

t.test('a frame that is not a JPEG, or a damaged one, is refused without effect on the next', async (t) => {
  const [renderer] = await Renderer.create(1)
  const whole = await frame()
  const quad = quadAt(400, 300)
  const expected = await renderer!.render(whole, quad)
  await t.rejects(renderer!.render(Buffer.from('not a picture'), quad))
  await t.rejects(renderer!.render(whole.subarray(0, 700), quad))
  t.same(await renderer!.render(whole, quad), expected)
})

t.test('a strip across the widest frame gives pictures', async (t) => {
  const wide = await sharp({ create: { width: 8_192, height: 38, channels: 3, background: '#808080' } })
    .jpeg()
    .toBuffer()
  const { crop, picture } = await (await Renderer.create(1))[0]!.render(wide, [
    [0, 0],
    [8_192, 0],
    [8_192, 38],
    [0, 38],
  ])
  t.match(await sharp(crop).metadata(), { width: 320, height: 2 })
  t.match(await sharp(picture).metadata(), { width: 800, height: 4 })
  for (const one of [crop, picture])
    t.ok((await sharp(one).raw().toBuffer()).every((value) => Math.abs(value - 128) <= 2))
})

import sharp from 'sharp'
import t from 'tap'
import { makePictures } from '../../../engine/pictures/render.js'
import type { Quad } from '../../../wasm/mod.js'

/** A grey frame with a red plate at 400,300 of 100 x 50 pixels. */
const frame = async () => sharp({ create: { width: 1280, height: 720, channels: 3, background: '#808080' } })
  .composite([{ input: { create: { width: 100, height: 50, channels: 3, background: '#ff0000' } }, left: 400, top: 300 }]).jpeg().toBuffer()

const quadAt = (x: number, y: number): Quad => [[x, y], [x + 100, y], [x + 100, y + 50], [x, y + 50]]

t.test('the crop shows the plate with some surroundings, the picture the whole frame, reduced', async (t) => {
  const { crop, picture } = await makePictures(await frame(), quadAt(400, 300))
  t.match(await sharp(crop).metadata(), { format: 'jpeg', width: 150, height: 100 })
  t.match(await sharp(picture).metadata(), { format: 'jpeg', width: 800, height: 450 })
  const { data, info } = await sharp(crop).raw().toBuffer({ resolveWithObject: true })
  const middle = (50 * info.width + 75) * 3
  t.ok(data[middle]! > 200 && data[middle + 1]! < 60, 'the plate is in the middle')
})

t.test('a plate that is partly or wholly outside the frame still gives pictures', async (t) => {
  for (const quad of [quadAt(-50, -20), quadAt(1_230, 700), quadAt(5_000, 5_000), quadAt(-900, -900)]) {
    const { crop } = await makePictures(await frame(), quad)
    const { width, height } = await sharp(crop).metadata()
    t.ok(width! >= 1 && height! >= 1)
  }
})

import { existsSync } from 'node:fs'
import sharp, { type JpegOptions } from 'sharp'
import t from 'tap'
import { readFrames } from '../../../engine/feeds/mod.js'
import { decodeJpegLuma, decodeJpegNatively, readOrientation } from '../../../wasm/internal_mod.js'
import { decodePicture } from '../../../wasm/node.js'
import { jpeg, scene } from '../../engine/recognize/pictures.js'
import { Random } from '../random.js'
import { isSame, outcome, Target } from './outcome.js'

/**
 * The decoder for browsers must give the same bits as libjpeg-turbo in the engine, and refuse the same files.
 */

const KINDS: Record<string, JpegOptions> = {
  '4:2:0': {},
  '4:4:4': { chromaSubsampling: '4:4:4' },
  progressive: { progressive: true },
  'progressive 4:4:4': { progressive: true, chromaSubsampling: '4:4:4' },
  'other scans': { mozjpeg: true },
  'quality 1': { quality: 1 },
  'quality 30': { quality: 30 },
  'quality 100': { quality: 100 },
  'standard tables': { optimiseCoding: false },
}

t.test('every kind of JPEG decodes to the same luma, bit for bit', async (t) => {
  const noise = {
    create: {
      width: 203,
      height: 117,
      channels: 3 as const,
      background: '#888',
      noise: { type: 'gaussian' as const, mean: 128, sigma: 120 },
    },
  }
  for (const [kind, options] of Object.entries(KINDS)) {
    for (const [width, height] of [
      [320, 200],
      [333, 217],
      [40, 33],
      [641, 64],
    ] as const) {
      const bytes = await jpeg(width, height, options)
      t.ok(isSame(outcome(decodeJpegLuma, bytes), outcome(decodeJpegNatively, bytes)), `${kind}, ${width}x${height}`)
    }
    const bytes = await sharp(noise).jpeg(options).toBuffer()
    t.ok(isSame(outcome(decodeJpegLuma, bytes), outcome(decodeJpegNatively, bytes)), `${kind}, noise`)
  }
  for (const progressive of [false, true]) {
    const bytes = await sharp(await scene(211, 150))
      .flatten()
      .toColourspace('b-w')
      .jpeg({ progressive })
      .toBuffer()
    t.ok(
      isSame(outcome(decodeJpegLuma, bytes), outcome(decodeJpegNatively, bytes)),
      `grey, ${progressive ? 'progressive' : 'baseline'}`,
    )
  }
})

t.test(
  'frames of the sample feed decode to the same luma',
  { skip: existsSync('bench/feeds/sample.mcap') ? false : 'no sample feed' },
  async (t) => {
    let index = 0
    let compared = 0
    for await (const frame of readFrames('bench/feeds/sample.mcap')) {
      if (index++ % 23 !== 0) continue
      compared++
      if (!isSame(outcome(decodeJpegLuma, frame.jpeg), outcome(decodeJpegNatively, frame.jpeg)))
        t.fail(`frame ${index - 1}`)
    }
    t.ok(compared > 20, `${compared} frames`)
  },
)

t.test('of damaged pictures both decoders give the same picture, the same damage or the same code', async (t) => {
  const count = Number(process.env.FUZZ_COUNT ?? 1_500)
  const random = new Random(Number(process.env.FUZZ_SEED ?? 7))
  const kinds = [{}, { progressive: true }, { mozjpeg: true }, { chromaSubsampling: '4:4:4' }]
  const bases = await Promise.all(kinds.map((options) => jpeg(160, 96, { quality: 40, ...options })))
  const seen = { whole: 0, inPart: 0, refused: 0, apart: 0 }
  for (let i = 0; i < count; i++) {
    let bytes = Buffer.from(random.pick(bases))
    for (let i = random.whole(1, 3); i > 0; i--) bytes[random.whole(0, bytes.length - 1)] = random.whole(0, 255)
    if (random.whole(0, 3) === 0) bytes = bytes.subarray(0, random.whole(0, bytes.length))
    const portable = outcome(decodeJpegLuma, bytes)
    if ('code' in portable) seen.refused++
    else if (portable.damage) seen.inPart++
    else seen.whole++
    if (isSame(portable, outcome(decodeJpegNatively, bytes))) continue
    seen.apart++
    t.comment(`apart: ${bytes.toString('base64')}`)
  }
  t.ok(Math.min(seen.whole, seen.inPart, seen.refused) > count / 20, JSON.stringify(seen))
  t.ok(seen.apart <= count / 1_000, `${seen.apart} of ${count} are apart`)
})

t.test('a picture file is turned upright by its EXIF orientation, exactly', async (t) => {
  const base = await jpeg(96, 64, { chromaSubsampling: '4:4:4' })
  const flat = new Target()
  await decodePicture(base, flat)
  for (let orientation = 1; orientation <= 8; orientation++) {
    // the header differs, the coded data are equal
    const tagged = await sharp(await scene(96, 64))
      .flatten()
      .withMetadata({ orientation })
      .jpeg({ quality: 80, chromaSubsampling: '4:4:4' })
      .toBuffer()
    t.equal(readOrientation(tagged), orientation)
    const lying = new Target()
    decodeJpegNatively(tagged, lying)
    const wanted = await sharp(lying.luma, { raw: { width: 96, height: 64, channels: 1 } })
      .png()
      .toBuffer()
      .then((png) => sharp(png).withMetadata({ orientation }).png().toBuffer())
      .then((png) => sharp(png).rotate().toColourspace('b-w').raw().toBuffer({ resolveWithObject: true }))
    const upright = new Target()
    const size = await decodePicture(tagged, upright)
    t.same([size.width, size.height], [wanted.info.width, wanted.info.height], `orientation ${orientation}`)
    t.ok(
      Buffer.from(upright.luma).equals(wanted.data.subarray(0, upright.luma.length)),
      `every pixel of orientation ${orientation}`,
    )
  }
  for (const nonsense of [
    new Uint8Array(0),
    Buffer.from('x'),
    base.subarray(0, 30),
    Buffer.concat([base.subarray(0, 2), Buffer.from('ffe10010457869660000ffff', 'hex')]),
  ])
    t.equal(readOrientation(nonsense), 1)
})

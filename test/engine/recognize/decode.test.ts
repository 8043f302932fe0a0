import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { AlprError } from '../../../engine/errors.js'
import { decodeJpeg, type LumaTarget } from '../../../engine/recognize/decode.js'
import { decodePicture } from '../../../wasm/node.js'
import { readJpegHeader } from '../../../wasm/internal_mod.js'
import { Target } from '../../wasm/picture/outcome.js'
import { jpeg, scene } from './pictures.js'

/** The size of a picture, and the code of its damage if it is read in part; or the code of its error. */
function codeOf(bytes: Uint8Array): string {
  try {
    const { width, height, damage } = decodeJpeg(bytes, new Target())
    return `${width}x${height}${damage ? ` in part: ${damage.code}` : ''}`
  } catch (error) {
    if (!(error instanceof AlprError)) throw error
    return error.code
  }
}

const baseline = await jpeg(320, 200)

t.setTimeout(120_000)

t.test('baseline and progressive, colour and grey files give their luma', async (t) => {
  const reference = await sharp(await scene(320, 200))
    .flatten()
    .toColourspace('b-w')
    .raw()
    .toBuffer()
  for (const options of [{}, { progressive: true }, { chromaSubsampling: '4:4:4' }, { optimiseCoding: false }]) {
    const target = new Target()
    t.same(decodeJpeg(await jpeg(320, 200, { quality: 95, ...options }), target), {
      width: 320,
      height: 200,
      reduced: 1,
    })
    const mean = target.luma.reduce((sum, value, i) => sum + Math.abs(value - reference[i]!), 0) / target.luma.length
    t.ok(mean < 3, `${JSON.stringify(options)}: mean difference ${mean.toFixed(2)}`)
  }
  const grey = await sharp(await scene(100, 80))
    .flatten()
    .toColourspace('b-w')
    .jpeg()
    .toBuffer()
  t.equal(codeOf(grey), '100x80')
})

t.test('the header is read without decoding', async (t) => {
  t.match(readJpegHeader(baseline), { width: 320, height: 200, components: 3, frame: 0xc0 })
  t.match(readJpegHeader(await jpeg(64, 48, { progressive: true })), { width: 64, height: 48, frame: 0xc2 })
})

t.test('what is no JPEG, or not enough of one, is rejected with its own code', async (t) => {
  t.equal(codeOf(new Uint8Array(0)), 'ALPR_ERR_FRAME_EMPTY')
  t.equal(codeOf(Buffer.from('not a picture')), 'ALPR_ERR_FRAME_NOT_JPEG')
  t.equal(codeOf(await scene(64, 64)), 'ALPR_ERR_FRAME_NOT_JPEG', 'a PNG')
  for (const keep of [1, 2, 3, 20, 200, 300])
    t.equal(codeOf(baseline.subarray(0, keep)), 'ALPR_ERR_FRAME_TRUNCATED', `the first ${keep} bytes`)
  t.equal(codeOf(Buffer.concat([baseline, Buffer.alloc(100)])), '320x200', 'padding after the end is harmless')
})

t.test('a picture that lacks only its end marker is whole; one that lacks rows is read in part, and says so', (t) => {
  for (const less of [1, 2]) t.equal(codeOf(baseline.subarray(0, baseline.length - less)), '320x200')
  const overwritten = Buffer.from(baseline)
  overwritten.fill(0, baseline.length - 2)
  t.equal(codeOf(overwritten), '320x200', 'an end marker that is overwritten')
  const cut = baseline.subarray(0, Math.floor(baseline.length * 0.8))
  t.equal(codeOf(cut), '320x200 in part: ALPR_ERR_FRAME_TRUNCATED')
  t.equal(codeOf(Buffer.concat([cut, Buffer.from([0xff, 0xd9])])), '320x200 in part: ALPR_ERR_FRAME_CORRUPT')
  const bad = Buffer.from(baseline)
  bad.fill(0xff, Math.floor(bad.length * 0.8), Math.floor(bad.length * 0.8) + 40)
  t.match(codeOf(bad), /in part/)
  t.end()
})

t.test('a progressive picture with very many scans is rejected before decoding', async (t) => {
  const progressive = await jpeg(320, 200, { progressive: true })
  const scan = progressive.lastIndexOf(Buffer.from([0xff, 0xda]))
  const tail = progressive.subarray(scan, progressive.length - 2)
  const many = Buffer.concat([
    progressive.subarray(0, scan),
    ...Array.from({ length: 101 }, () => tail),
    Buffer.from([0xff, 0xd9]),
  ])
  t.equal(codeOf(progressive), '320x200')
  t.equal(codeOf(many), 'ALPR_ERR_FRAME_CORRUPT')
})

t.test('sizes are checked in the header, before memory is allocated', async (t) => {
  const resized = (width: number, height: number) => {
    const bytes = Buffer.from(baseline)
    const at = bytes.indexOf(Buffer.from([0xff, 0xc0]))
    bytes.writeUInt16BE(height, at + 5)
    bytes.writeUInt16BE(width, at + 7)
    return bytes
  }
  const asks: LumaTarget = {
    lumaBuffer: () => {
      throw new Error('memory was asked for')
    },
  }
  const code = (bytes: Uint8Array) => {
    try {
      decodeJpeg(bytes, asks)
    } catch (error) {
      return (error as AlprError).code
    }
    return undefined
  }
  t.equal(code(resized(31, 200)), 'ALPR_ERR_FRAME_TOO_SMALL')
  t.equal(code(resized(0, 0)), 'ALPR_ERR_FRAME_TOO_SMALL')
  t.equal(code(resized(65535, 40)), 'ALPR_ERR_FRAME_TOO_SMALL', 'too flat once its width is within the limits')
  t.equal(code(resized(65535, 65535)), 'ALPR_ERR_FRAME_TOO_LARGE')
  t.equal(code(resized(17_000, 17_000)), 'ALPR_ERR_FRAME_TOO_LARGE', '289 megapixels')
})

t.test('CMYK is accepted from a stream and from a file', async (t) => {
  const cmyk = await sharp(await scene(120, 90))
    .flatten()
    .toColourspace('cmyk')
    .jpeg()
    .toBuffer()
  t.equal(codeOf(cmyk), '120x90')
  t.same(await decodePicture(cmyk, new Target()), { width: 120, height: 90, reduced: 1 })
})

t.test('files may be PNG, WebP or TIFF, with or without alpha; anything else has a code', async (t) => {
  const png = await scene(150, 100)
  const reference = await sharp(png).flatten().toColourspace('b-w').raw().toBuffer()
  for (const bytes of [
    png,
    await sharp(png).webp({ lossless: true }).toBuffer(),
    await sharp(png).tiff().toBuffer(),
    await sharp(png).ensureAlpha(1).png().toBuffer(),
    await sharp(png).png({ palette: true }).toBuffer(),
  ]) {
    const target = new Target()
    t.same(await decodePicture(bytes, target), { width: 150, height: 100, reduced: 1 })
    const mean = target.luma.reduce((sum, value, i) => sum + Math.abs(value - reference[i]!), 0) / reference.length
    t.ok(mean < 4, `mean difference ${mean.toFixed(2)}`)
  }
  await t.rejects(decodePicture(Buffer.from('no picture at all'), new Target()), {
    code: 'ALPR_ERR_PICTURE_UNSUPPORTED',
    message: /a text file/,
  })
  await t.rejects(decodePicture(await scene(20, 100), new Target()), { code: 'ALPR_ERR_FRAME_TOO_SMALL' })
  await t.rejects(decodePicture(baseline.subarray(0, 300), new Target()), { code: 'ALPR_ERR_FRAME_TRUNCATED' })
})

t.test('any bytes give an answer or a code', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 12 }),
      fc.nat(),
      (changes, length) => {
        const bytes = Buffer.from(baseline)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        codeOf(length % 3 === 0 ? bytes.subarray(0, length % bytes.length) : bytes)
      },
    ),
    { numRuns: 2000, interruptAfterTimeLimit: 8_000 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      codeOf(bytes)
      codeOf(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), bytes]))
    }),
    { numRuns: 2000, interruptAfterTimeLimit: 4_000 },
  )
  t.pass()
  t.end()
})

import sharp from 'sharp'
import t from 'tap'
import { RecognizerPool } from '../../../engine/recognize/pool.js'
import { Renderer } from '../../../engine/pictures/renderer.js'
import { decodeJpegLuma, decodeJpegNatively, mendJpeg } from '../../../wasm/internal_mod.js'
import { decodePicture, openRecognizer } from '../../../wasm/node.js'
import { Random } from '../../wasm/random.js'
import { isSame, outcome, Target } from '../../wasm/picture/outcome.js'
import { PLATE, plateFile, platePicture, segmentAt, withBytes } from '../../wasm/picture/plate_pictures.js'

/**
 * JPEGs that cameras and phones write though no book shows them: whole ones are read by every entrance, damaged ones
 * are read in part and say so. decodePicture is `recognize`, the library and `import`; the pool is the stream, replay
 * and redrive; decodeJpegLuma is the decoder of pages.
 */

const recognizer = await openRecognizer()
const pool = await RecognizerPool.create({ workers: 1 })
t.teardown(() => pool.close())

const good = platePicture()
const scan = segmentAt(good, 0xda)

function patched(jpeg: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(jpeg)
  change(bytes)
  return bytes
}

/** A JPEG whose EXIF has the orientation as a value of this TIFF type. */
function oriented(orientation: number, type: number): Buffer {
  const exif = Buffer.from('ffe100224578696600004d4d002a0000000800010112000000000001000000000000' + '0000', 'hex')
  exif.writeUInt16BE(type, 22)
  exif.writeUInt32BE(1, 24)
  if (type === 4) exif.writeUInt32BE(orientation, 28)
  else if (type === 3) exif.writeUInt16BE(orientation, 28)
  else exif[28] = orientation
  return withBytes(good, 2, exif)
}

const WHOLE: Record<string, Buffer> = {
  'padding before the end marker': plateFile('padded-before-eoi.jpg'),
  'a byte before each restart marker': plateFile('extraneous-bytes-rst.jpg'),
  'padding before the scan': withBytes(good, scan, Buffer.alloc(32)),
  'text between segments': withBytes(good, segmentAt(good, 0xc4), 'vendor text'),
  'no end marker': good.subarray(0, good.length - 2),
  'half an end marker': good.subarray(0, good.length - 1),
  'an end marker overwritten with zeros': patched(good, (b) => b.fill(0, b.length - 2)),
  'an end marker overwritten with another': patched(good, (b) => (b[b.length - 1] = 0xda)),
  'two start markers': withBytes(good, 0, Buffer.from([0xff, 0xd8])),
  'a line end before it': withBytes(good, 0, '\r\n'),
  'a byte order mark before it': withBytes(good, 0, Buffer.from([0xef, 0xbb, 0xbf])),
  'headers of a multipart stream before it': withBytes(good, 0, '--frame\r\nContent-Type: image/jpeg\r\n\r\n'),
  'vendor bytes after it': Buffer.concat([good, Buffer.from('dhav\0\0\0\0')]),
  'a second picture after it': Buffer.concat([good, good]),
  'fill bytes before a marker': withBytes(good, scan, Buffer.from([0xff, 0xff, 0xff])),
  'Motion JPEG without Huffman tables': plateFile('avi1-no-dht.jpg'),
  'its height behind the scan (DNL)': plateFile('dnl-height0.jpg'),
  'luma smaller than chroma': plateFile('luma-subsampled.jpg'),
  'a scan for each component': plateFile('noninterleaved.jpg'),
  CMYK: plateFile('exif6-cmyk.jpg'),
  grey: await sharp(good).toColourspace('b-w').jpeg().toBuffer(),
  progressive: await sharp(good).jpeg({ progressive: true }).toBuffer(),
  'progressive without an end marker': (await sharp(good).jpeg({ progressive: true }).toBuffer()).subarray(0, -2),
}

t.test('a whole picture is read by every entrance with the same bits', async (t) => {
  for (const [name, bytes] of Object.entries(WHOLE)) {
    const node = outcome(decodeJpegNatively, bytes)
    const page = outcome(decodeJpegLuma, bytes)
    if ('code' in node) {
      t.fail(`${name}: ${node.code}`)
      continue
    }
    t.equal(node.damage, undefined, `${name}: whole`)
    t.ok(isSame(node, page), `${name}: the same in pages`)
    const size = await decodePicture(bytes, recognizer)
    t.match(recognizer.recognize(size.width, size.height)[0], { plate: PLATE }, `${name}: recognize`)
    if (name === 'CMYK') continue // lies on its side: a stream's frames are not turned
    const { detections, damaged } = await pool.recognize(bytes)
    t.match({ plate: detections[0]?.plate, damaged }, { plate: PLATE, damaged: false }, `${name}: stream`)
  }
})

t.test('kinds that are not read are refused by name everywhere', async (t) => {
  const sof = segmentAt(good, 0xc0)
  for (const [name, bytes] of [
    ['12 bits a sample', patched(good, (b) => (b[sof + 4] = 12))],
    ['lossless', patched(good, (b) => (b[sof + 1] = 0xc3))],
    ['arithmetic', patched(good, (b) => (b[sof + 1] = 0xc9))],
  ] as const) {
    const expected = { code: 'ALPR_ERR_PICTURE_UNSUPPORTED', message: new RegExp(name) }
    await t.rejects(decodePicture(bytes, recognizer), expected, name)
    await t.rejects(pool.recognize(bytes), expected, name)
    t.throws(() => decodeJpegLuma(bytes, new Target()), expected, name)
  }
})

t.test('an orientation is read as a number of any size', async (t) => {
  for (const type of [1, 3, 4])
    t.match(await decodePicture(oriented(6, type), new Target()), { width: 720, height: 1280 }, `type ${type}`)
  t.match(await decodePicture(oriented(9, 3), new Target()), { width: 1280, height: 720 }, 'an invalid one')
  t.match(await decodePicture(plateFile('exif6-webp.webp'), recognizer), { width: 1280, height: 720 })
  t.match(recognizer.recognize(1280, 720)[0], { plate: PLATE }, 'of a WebP')
})

t.test(
  'a damaged picture is read in part, said, with a lower confidence; without a plate it is an error',
  async (t) => {
    const cut = good.subarray(0, Math.floor(good.length * 0.9))
    const { damage, ...size } = await decodePicture(cut, recognizer)
    t.match(damage, { code: 'ALPR_ERR_FRAME_TRUNCATED', reason: /cut short/ })
    t.ok(damage!.share > 0.7 && damage!.share < 1, `${damage!.share} is whole`)
    const [part] = recognizer.recognize(size.width, size.height)
    await decodePicture(good, recognizer)
    const [whole] = recognizer.recognize(size.width, size.height)
    t.equal(part!.plate, PLATE)
    t.ok(part!.confidence < 0.92 * whole!.confidence, `${part!.confidence} instead of ${whole!.confidence}`)
    for (const [i, classes] of part!.positions.entries()) {
      t.ok(Math.max(...classes) < Math.max(...whole!.positions[i]!), 'a vote weighs it less')
      t.ok(Math.abs(classes.reduce((sum, p) => sum + p, 0) - 1) < 1e-3, 'still probabilities')
    }
    t.match(await pool.recognize(cut), { damaged: true, detections: [{ plate: PLATE }] })

    const above = good.subarray(0, Math.floor(good.length * 0.4))
    await t.rejects(pool.recognize(above), { code: 'ALPR_ERR_FRAME_TRUNCATED' }, 'the plate is in the missing part')
  },
)

t.test('restart markers limit the damage to their interval', (t) => {
  const bytes = plateFile('extraneous-bytes-rst.jpg')
  const middle = bytes.indexOf(Buffer.from([0xff, 0xd3]), bytes.length >> 1)
  const lost = Buffer.concat([bytes.subarray(0, middle), bytes.subarray(middle + 2)])
  for (const [name, damaged] of [
    ['a marker is lost', lost],
    ['an interval is damaged', patched(bytes, (b) => b.fill(0xaa, middle + 4, middle + 8))],
  ] as const) {
    const found = outcome(decodeJpegNatively, damaged)
    if ('code' in found) t.fail(name)
    else t.ok(found.share > 0.9, `${name}: ${found.share} is whole`)
  }
  t.end()
})

t.test('the pictures of a read are in colour when libjpeg only warns, in grey when the frame is damaged', async (t) => {
  const [renderer] = await Renderer.create(1)
  const quad = [
    [1029, 312],
    [1099, 311],
    [1099, 345],
    [1029, 346],
  ] as [[number, number], [number, number], [number, number], [number, number]]
  const saturation = async (jpeg: Buffer) => {
    const { channels } = await sharp((await renderer!.render(jpeg, quad)).picture).stats()
    return Math.abs(channels[0]!.mean - channels[2]!.mean)
  }
  const colour = await saturation(good)
  t.ok(colour > 1, `${colour}`)
  for (const name of ['padding before the end marker', 'no end marker', 'text between segments', 'two start markers'])
    t.ok(Math.abs((await saturation(WHOLE[name]!)) - colour) < 0.1, name)
  t.ok((await saturation(good.subarray(0, Math.floor(good.length * 0.9)))) < 0.5, 'damaged')
  for (const [name, bytes] of Object.entries(WHOLE)) {
    const mended = mendJpeg(bytes)!
    t.ok(isSame(outcome(decodeJpegNatively, mended), outcome(decodeJpegNatively, bytes)), `${name}: the same picture`)
  }
})

t.test('any bytes give a picture or a code in every decoder', (t) => {
  const random = new Random(11)
  for (let i = 0; i < 100; i++) {
    const bytes = Buffer.from(random.pick([WHOLE['CMYK']!, WHOLE['luma smaller than chroma']!]))
    for (let i = random.whole(1, 4); i > 0; i--) bytes[random.whole(0, 900)] = random.whole(0, 255)
    const piece = bytes.subarray(0, random.whole(0, bytes.length))
    if (!isSame(outcome(decodeJpegNatively, piece), outcome(decodeJpegLuma, piece))) t.fail(piece.toString('base64'))
  }
  t.pass()
  t.end()
})

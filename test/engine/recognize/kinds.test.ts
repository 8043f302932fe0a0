import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import t from 'tap'
import { RecognizerPool } from '../../../engine/recognize/pool.js'
import { kindOf, textKindOf } from '../../../wasm/internal_mod.js'
import { decodePicture, PICTURE_LIMITS } from '../../../wasm/node.js'
import { jpeg } from './pictures.js'
import { Target } from '../../wasm/picture/outcome.js'

const picture = await jpeg(64, 48)
const iso = (brand: string, compatible = '') =>
  Buffer.concat([
    Buffer.from([0, 0, 0, 16 + compatible.length]),
    Buffer.from(`ftyp${brand}\0\0\0\0${compatible}`),
    Buffer.alloc(64),
  ])

/** Files that are saved under names of pictures, and what is said of them. */
const NOT_READ: [name: string, bytes: Buffer, says: RegExp][] = [
  ['HEIC', iso('heic', 'mif1heic'), /a HEIC photo.*convert it to JPEG/],
  ['HEIF of other brands', iso('mif1', 'heix'), /a HEIC photo/],
  ['MP4', iso('isom', 'avc1'), /a(n MP4 or QuickTime)? video.*import/],
  ['CR3', iso('crx '), /a raw photo/],
  ['HTML', Buffer.from('<!DOCTYPE html><html>Log in</html>'), /an HTML page/],
  ['HTML behind blanks', Buffer.from('\n  <HTML><body>404'), /an HTML page/],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9999" height="9999"/>'), /an SVG drawing/],
  ['SVG behind XML', Buffer.from('<?xml version="1.0"?><!-- a --><svg width="1"/>'), /an SVG drawing/],
  ['XML', Buffer.from('<?xml version="1.0"?><EventNotificationAlert/>'), /an XML document/],
  ['JSON', Buffer.from('{"error":"unauthorized"}'), /a JSON document/],
  ['text', Buffer.from('401 Unauthorized'), /a text file/],
  ['UTF-16', Buffer.from('\ufeffplain words', 'utf16le'), /a text file/],
  ['PDF', Buffer.from('%PDF-1.7 ...'), /a PDF document/],
  ['Base64', Buffer.from(picture.toString('base64')), /Base64 text.*base64 -d/],
  ['data URI', Buffer.from(`data:image/jpeg;base64,${picture.toString('base64')}`), /a data URI/],
  ['gzip', gzipSync(picture), /a gzip file.*gunzip/],
  ['ZIP', Buffer.from('PK\x03\x04rest of it'), /a ZIP archive/],
  ['JPEG 2000', Buffer.from('\0\0\0\x0cjP  \r\n\x87\n', 'latin1'), /a JPEG 2000 picture/],
  ['JPEG XL', Buffer.from('\xff\x0a\x00\x00', 'latin1'), /a JPEG XL picture/],
  ['PGM', Buffer.from('P5 4 4 255\n0123456789abcdef'), /PGM/],
  ['Matroska', Buffer.from('\x1aE\xdf\xa3....', 'latin1'), /a Matroska video/],
  ['zeros', Buffer.alloc(500), /nothing but zeros/],
  ['a pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:0'), /Git LFS/],
]

t.test('a file that is not read is named, with what to do; its name does not matter', async (t) => {
  const pool = await RecognizerPool.create({ workers: 1 })
  t.teardown(() => pool.close())
  for (const [name, bytes, says] of NOT_READ) {
    await t.rejects(decodePicture(bytes, new Target()), { code: 'ALPR_ERR_PICTURE_UNSUPPORTED', message: says }, name)
    await t.rejects(pool.recognize(bytes), { code: 'ALPR_ERR_FRAME_NOT_JPEG' }, `${name} as a frame`)
  }
  await t.rejects(pool.recognize(await sharp(picture).png().toBuffer()), { message: /kind PNG; send each frame/ })
})

t.test('a drawing costs nothing', async (t) => {
  const large = Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="9000"><circle r="4000"/></svg>',
  )
  const start = process.cpuUsage()
  for (let i = 0; i < 20; i++) await t.rejects(decodePicture(large, new Target()))
  const { user } = process.cpuUsage(start)
  t.ok(user < 2_000_000, `${user} us for 20`)
})

t.test('a raw photo is not mistaken for its preview', async (t) => {
  const tiff = await sharp(picture).tiff().toBuffer()
  t.same(await decodePicture(tiff, new Target()), { width: 64, height: 48, reduced: 1 })
  const little = tiff[0] === 0x49
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4)
  const raw = Buffer.from(tiff)
  // its last entry becomes DNGVersion
  const entries = little ? raw.readUInt16LE(directory) : raw.readUInt16BE(directory)
  if (little) raw.writeUInt16LE(0xc612, directory + 2 + 12 * (entries - 1))
  else raw.writeUInt16BE(0xc612, directory + 2 + 12 * (entries - 1))
  await t.rejects(decodePicture(raw, new Target()), { code: 'ALPR_ERR_PICTURE_UNSUPPORTED', message: /raw photo/ })
})

t.test('any bytes have a kind', (t) => {
  for (let i = 0; i < 2_000; i++) {
    const bytes = Buffer.from(Array.from({ length: i % 40 }, (_, k) => (i * 31 + k * k * 17) & 255))
    if (kindOf(bytes) === undefined) t.match(textKindOf(bytes), { what: /./, remedy: /./ })
  }
  t.end()
})

t.test('a photo beyond the limits of the recognizer is reduced while it is decoded', async (t) => {
  const plain = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: '#406080' }, limitInputPixels: false })
  for (const [width, height, reduced] of [
    [8_064, 5_000, 2],
    [9_000, 1_000, 2],
    [20_000, 400, 4],
    [40_000, 300, 8],
  ] as const) {
    const target = new Target()
    const decoded = await decodePicture(await plain(width, height).jpeg({ quality: 50 }).toBuffer(), target)
    t.same(decoded, { width: width / reduced, height: Math.floor(height / reduced), reduced }, `${width}x${height}`)
    t.ok(Math.abs(target.luma[1_000]! - 90) < 4)
  }
  const png = await plain(9_000, 500).png({ compressionLevel: 1 }).toBuffer()
  t.same(await decodePicture(png, new Target()), { width: 4_500, height: 250, reduced: 2 })
  t.equal(PICTURE_LIMITS.mostSide, 8_192)
})

import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { JpegSplitter } from '../../../engine/feeds/jpeg_splitter.js'

t.test('concatenated JPEGs come apart, no matter how the pipe cuts them', async (_t) => {
  const pictures = await Promise.all(
    [
      [40, 30],
      [64, 64],
      [200, 10],
    ].map(([width, height]) =>
      sharp({
        create: {
          width: width!,
          height: height!,
          channels: 3,
          background: '#123456',
          noise: { type: 'gaussian', mean: 100, sigma: 60 },
        },
      })
        .jpeg({ quality: 95, progressive: width === 64 })
        .withMetadata({ exif: { IFD0: { Copyright: '\u00ff\u00d9 not the end' } } })
        .toBuffer(),
    ),
  )
  const stream = Buffer.concat([...pictures, ...pictures])
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 40 }), (sizes) => {
      const splitter = new JpegSplitter()
      const out: Buffer[] = []
      for (let at = 0, i = 0; at < stream.length; i++) {
        const size = sizes[i % sizes.length]!
        out.push(...splitter.push(stream.subarray(at, at + size)).map((b) => Buffer.from(b)))
        at += size
      }
      return out.length === 6 && splitter.pending === 0 && out.every((picture, i) => picture.equals(pictures[i % 3]!))
    }),
  )
})

t.test('a stream that is not concatenated JPEGs is an error, not a hang', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 500 }), (noise) => {
      const splitter = new JpegSplitter(10_000)
      try {
        splitter.push(noise)
        splitter.push(Buffer.concat([Buffer.from([0xff, 0xd8]), noise]))
      } catch (error) {
        return error instanceof Error
      }
      return true
    }),
  )
  t.throws(
    () =>
      new JpegSplitter(100).push(Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 2]), Buffer.alloc(200, 1)])),
    /more than 100 bytes/,
  )
})

import fc from 'fast-check'
import t from 'tap'
import { hasPictures, MAX_PICTURES, packPictures, unpackPictures } from '../../../engine/model/pictured_message.js'

t.test('pieces come back as they were packed', async (t) => {
  const pictures = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: MAX_PICTURES })
  fc.assert(
    fc.property(fc.json(), pictures, (json, all) => {
      const unpacked = unpackPictures(packPictures(json, all))
      if (!unpacked || unpacked === 'broken') return false
      return (
        Buffer.from(unpacked.json).toString() === json &&
        unpacked.pictures.length === all.length &&
        unpacked.pictures.every((picture, i) => Buffer.from(picture).equals(Buffer.from(all[i]!)))
      )
    }),
  )
  t.throws(
    () =>
      packPictures(
        '{}',
        Array.from({ length: 9 }, () => new Uint8Array()),
      ),
    /9 pictures, 8 are allowed/,
  )
})

t.test('JSON without pictures is no such message, and a line that does not fit is broken', async (t) => {
  fc.assert(fc.property(fc.json(), (json) => unpackPictures(Buffer.from(json)) === undefined))
  for (const text of ['PSD1 ', 'PSD1 2', 'PSD1 3\n{}', 'PSD1 1\n{}', 'PSD1 x\n{}', 'PSD1 -1 3\n{}', 'PSD1  2\n{}'])
    t.equal(unpackPictures(Buffer.from(text)), 'broken', text)
  t.equal(unpackPictures(Buffer.from(`PSD1 2${' 0'.repeat(9)}\n{}`)), 'broken', 'more than 8 pictures')
  t.equal(hasPictures(packPictures('{}', [])), false)
  t.equal(hasPictures(packPictures('{}', [new Uint8Array(1)])), true)
})

t.test('any bytes are read or refused', async (t) => {
  const piece = fc.oneof(fc.constantFrom('PSD1 ', '\n', ' ', '2', '{}', '999999999'), fc.string({ maxLength: 4 }))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const payload = Buffer.from(pieces.join(''))
      const unpacked = unpackPictures(payload)
      if (!unpacked || unpacked === 'broken') return true
      const sum = [unpacked.json, ...unpacked.pictures].reduce((bytes, { length }) => bytes + length, 0)
      return sum < payload.length
    }),
    { numRuns: 5_000 },
  )
  t.pass()
})

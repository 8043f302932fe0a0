import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { timeFromExif, timeFromName } from '../../../engine/feeds/capture_time.js'

t.test('a file name gives its time in any usual form', async (t) => {
  const cases: [string, string | undefined][] = [
    ['20260501_083000.jpg', '2026-05-01T08:30:00.000Z'],
    ['IMG_20260501083000123.jpg', '2026-05-01T08:30:00.123Z'],
    ['gate 2026-05-01T08.30.00.250Z.jpg', '2026-05-01T08:30:00.250Z'],
    ['2026-05-01 08-30-00.png', '2026-05-01T08:30:00.000Z'],
    ['1777624200000.jpg', '2026-05-01T08:30:00.000Z'],
    ['cam_1777624200.jpg', '2026-05-01T08:30:00.000Z'],
    ['frame_0001.jpg', undefined],
    ['20261399_083000.jpg', undefined],
    ['20260231_250000.jpg', undefined],
    ['99999999999999.jpg', undefined],
  ]
  for (const [name, expected] of cases) {
    const time = timeFromName(name, 0)
    t.equal(time === undefined ? undefined : new Date(time).toISOString(), expected, name)
  }
  t.equal(timeFromName('20260501_083000.jpg', -420), Date.UTC(2026, 4, 1, 15, 30), 'a zone of -07:00')
  t.equal(timeFromName('20260501T083000Z.jpg', -420), Date.UTC(2026, 4, 1, 8, 30), 'a name with Z is UTC')
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1991-01-01'), max: new Date('2099-01-01'), noInvalidDate: true }),
      (date) =>
        (timeFromName(`x-${date.toISOString().replaceAll(':', '.')}.jpg`, 0) === date.getTime() &&
          timeFromName(`${date.getTime()}.jpg`, 0) !== undefined) ||
        date.getTime() < 1e12,
    ),
  )
  fc.assert(
    fc.property(fc.string(), (name) => {
      timeFromName(name, 0)
      return true
    }),
  )
})

t.test('EXIF gives its time, and no bytes make it throw', async (t) => {
  const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .jpeg()
    .withExif({
      IFD2: { DateTimeOriginal: '2026:05:01 08:30:00', SubSecTimeOriginal: '25', OffsetTimeOriginal: '-07:00' },
    })
    .toBuffer()
  const { exif } = await sharp(picture).metadata()
  t.equal(timeFromExif(exif!, 0), Date.UTC(2026, 4, 1, 15, 30, 0, 250))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      timeFromExif(bytes, 0)
      return true
    }),
  )
  fc.assert(
    fc.property(fc.nat(exif!.length - 1), fc.nat(255), (at, value) => {
      const damaged = Buffer.from(exif!)
      damaged[at] = value
      timeFromExif(damaged, 0)
      return true
    }),
  )
})

t.test('offsets and fractions in names are taken; numbers of pictures are not', (t) => {
  const at = Date.UTC(2026, 4, 1, 8, 30)
  for (const [name, expected] of [
    ['2026-05-01T08:30:00.25+0200.jpg', at + 250 - 7_200_000],
    ['2026-05-01T08:30:00.250123Z.jpg', at + 250],
    ['20260501T083000-0700.jpg', at + 25_200_000],
    ['2026-05-01 08.30.00,5.jpg', at + 500],
    ['2026-05-01T08:30:00+05:45.png', at - 20_700_000],
    ['2026-05-01_08-30-00-07:00.jpg', at + 25_200_000],
    ['20260501_083000-0001.jpg', at],
    ['20260501_083000-0100.jpg', at],
    ['20260501_083000250.jpg', at + 250],
    ['20260501_083000_250.jpg', at + 250],
    ['IMG_20260501_083000.jpg', at],
  ] as const)
    t.equal(timeFromName(name, 0), expected, name)
  t.end()
})

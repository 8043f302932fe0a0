import fc from 'fast-check'
import sharp from 'sharp'
import t from 'tap'
import { timeFromExif, timeFromName } from '../../../engine/feeds/capture_time.js'
import { JpegSplitter } from '../../../engine/feeds/jpeg_splitter.js'
import { Pace } from '../../../engine/feeds/replay_pace.js'
import { shiftToNow } from '../../../engine/feeds/feed_replay.js'

t.test('JPEGs behind each other are cut apart, however the pipe cuts them', async (_t) => {
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
      return out.length === 6 && splitter.rest === 0 && out.every((picture, i) => picture.equals(pictures[i % 3]!))
    }),
  )
})

t.test('what is not JPEG behind JPEG is an error and not a hang', async (t) => {
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

t.test('times in file names', async (t) => {
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
  t.equal(timeFromName('20260501T083000Z.jpg', -420), Date.UTC(2026, 4, 1, 8, 30), 'a name that says Z')
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

t.test('times in EXIF, and no trouble with any bytes', async (t) => {
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

t.test('pace: by event time from the start, delays are made up for, old frames do not hold', async (t) => {
  const slept: number[] = []
  let now = 1_000
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      slept.push(ms)
      now += ms
    },
  }
  const pace = new Pace({ speed: 2, clock })
  t.equal(await pace.wait(50_000), 0)
  await pace.wait(50_400)
  t.same(slept, [200])
  now += 1_000 // the publisher was held up for a second
  t.equal(Math.round(await pace.wait(50_800)), 800)
  t.equal(slept.length, 1)
  await pace.wait(40_000) // sent late: at once, in its place
  t.equal(slept.length, 1)
  await pace.wait(53_000)
  t.equal(now, 1_000 + 1_500, 'due times count from the start')
  const steady = new Pace({ speed: 1, rate: 100, clock })
  const from = now
  for (let i = 0; i <= 50; i++) await steady.wait(7)
  t.equal(Math.round(now - from), 500)
  const fast = new Pace({ speed: Infinity, clock })
  for (let i = 0; i < 10; i++) t.equal(await fast.wait(i * 1e6), 0)
})

t.test('moved times are never in the future', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000_000 }),
      fc.constantFrom(0.5, 1, 3, 100, Infinity),
      fc.integer({ min: 1, max: 9 }),
      fc.option(fc.double({ min: 0.1, max: 1e5, noNaN: true }), { nil: undefined }),
      (period, speed, loops, rate) => {
        const now = 1_800_000_000_000
        const whole = { start: 1_700_000_000_000, period, total: 100 }
        const shift = shiftToNow(whole, { speed, rate, loops }, now)
        const wall = rate === undefined ? (period * loops) / speed : (100 * loops * 1_000) / rate
        // At any share of the replay, the event time is not ahead of the wall clock.
        return [0, 0.3, 1].every((share) => whole.start + shift + share * period * loops <= now + share * wall + 1)
      },
    ),
  )
  t.equal(
    shiftToNow({ start: 500, period: 1_000, total: 5 }, { speed: 1, loops: 1 }, 10_000) + 500,
    10_000,
    'at the original speed it begins now',
  )
})

import sharp from 'sharp'
import t from 'tap'
import { startTestSystem, type TestFrame } from '../servers/system.js'
import { MAIN_ST } from '../engine/passes/plates.js'

const T0 = Date.UTC(2026, 0, 5, 12)

const picture = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: { r: 120, g: 125, b: 130 } }, limitInputPixels: false })
    .jpeg({ quality: 30 })
    .toBuffer()

t.test(
  'an invalid frame becomes a dead letter with its reason, is counted, and does not stop the stream',
  async (t) => {
    const good = await picture(1280, 720)
    const system = await startTestSystem(t, {
      cameras: [MAIN_ST, { id: 'unit-7', name: 'Unit 7', kind: 'mobile', agency: '' }],
    })
    const at = (frame: Partial<TestFrame>): TestFrame => ({ camera: 'main-st', capturedAt: T0, jpeg: good, ...frame })
    const corrupt = Buffer.from(good)
    corrupt.fill(0xff, 200, 400)
    const huge = Buffer.from(await picture(64, 64))
    huge.writeUInt16BE(20_000, sofOf(huge) + 5)
    huge.writeUInt16BE(20_000, sofOf(huge) + 7)

    const cases: [name: string, frame: TestFrame, reason: string | RegExp][] = [
      ['truncated JPEG', at({ jpeg: good.subarray(0, good.length >> 1) }), 'ALPR_ERR_FRAME_TRUNCATED'],
      ['corrupt JPEG', at({ jpeg: corrupt }), /^ALPR_ERR_FRAME_(CORRUPT|NOT_JPEG)$/],
      ['1x1 picture', at({ jpeg: await picture(1, 1) }), 'ALPR_ERR_FRAME_TOO_SMALL'],
      ['20,000x20,000 picture', at({ jpeg: huge }), 'ALPR_ERR_FRAME_TOO_LARGE'],
      ['not a picture', at({ jpeg: Buffer.from('<html>no picture</html>') }), 'ALPR_ERR_FRAME_NOT_JPEG'],
      ['a PNG', at({ jpeg: await sharp(good).png().toBuffer() }), 'ALPR_ERR_FRAME_NOT_JPEG'],
      ['no Captured-At', at({ capturedAt: undefined }), 'ALPR_ERR_FRAME_TIME_MISSING'],
      ['absurd Captured-At', at({ capturedAt: 'tomorrow, about noon' }), 'ALPR_ERR_FRAME_TIME_INVALID'],
      ['Captured-At of 1970', at({ capturedAt: '1970-01-01T00:00:00Z' }), 'ALPR_ERR_FRAME_TIME_ABSURD'],
      ['far in the future', at({ capturedAt: Date.now() + 86_400_000 }), 'ALPR_ERR_FRAME_TIME_FUTURE'],
      ['missing position', at({ camera: 'unit-7' }), 'ALPR_ERR_FRAME_POSITION_MISSING'],
      [
        'position out of range',
        at({ camera: 'unit-7', headers: { Position: '138.7,-121.2' } }),
        'ALPR_ERR_FRAME_HEADER_INVALID',
      ],
      ['unknown camera', at({ camera: 'nobody-knows' }), 'ALPR_ERR_CAMERA_UNKNOWN'],
      ['invalid camera name', at({ camera: 'No_Camera' }), 'ALPR_ERR_CAMERA_UNKNOWN'],
      ['empty payload', at({ jpeg: new Uint8Array() }), 'ALPR_ERR_FRAME_EMPTY'],
      ['10 MB payload', at({ jpeg: new Uint8Array(10_000_000) }), 'ALPR_ERR_FRAME_TOO_LARGE'],
    ]
    for (const [, frame] of cases) await system.publish(frame)
    await system.publish(at({ capturedAt: T0 + 1_000 }))
    await system.publish(at({ camera: 'unit-7', capturedAt: T0 + 1_000, headers: { Position: '38.7,-121.2' } }))
    await system.untilStored(cases.length + 2)

    const dead = await system.dead()
    t.equal(dead.length, cases.length)
    for (const [name, frame, reason] of cases) {
      const letter = dead.find(
        (one) =>
          one.camera === frame.camera &&
          Buffer.compare(one.payload, frame.jpeg) === 0 &&
          (reason instanceof RegExp ? reason.test(one.reason) : one.reason === reason),
      )
      t.ok(letter, `${name}: ${String(reason)}, payload kept`)
      t.match(letter?.headers, { 'Dead-Message': /\w/, 'Dead-Subject': /^frames\./, 'Dead-Sequence': /^\d+$/ }, name)
    }
    const [sums] = await system.rows<Record<string, string>>(
      `SELECT sum(frames_in) AS f, sum(with_reads) AS r, sum(without_plate) AS w, sum(dead) AS d
     FROM platestream.ledger FINAL`,
    )
    t.equal(Number(sums!.f), cases.length + 2)
    t.equal(Number(sums!.d), cases.length)
    t.equal(Number(sums!.r) + Number(sums!.w) + Number(sums!.d), Number(sums!.f), 'the ledger adds up')
    t.match(
      await system.rows(
        "SELECT camera, sum(dead) AS d FROM platestream.ledger FINAL GROUP BY camera HAVING camera = 'nobody-knows'",
      ),
      [{ camera: 'nobody-knows', d: '1' }],
    )
  },
)

/** Offset of the frame header (SOF0) in a baseline JPEG. */
function sofOf(jpeg: Buffer): number {
  const at = jpeg.indexOf(Buffer.from([0xff, 0xc0]))
  if (at < 0) throw new Error('no SOF0')
  return at
}

import fc from 'fast-check'
import t from 'tap'
import { JpegDepacketizer } from '../../../engine/ingest/jpeg_depacketizer.js'
import { H264, H265, NalDepacketizer } from '../../../engine/ingest/nal_depacketizer.js'
import { parseRtp, parseSenderReport, receiverReport, ReorderBuffer, Unwrapper } from '../../../engine/ingest/rtp.js'
import { parseSdp } from '../../../engine/ingest/sdp.js'

const START = '00000001'
const packet = (payload: string, timestamp: number, isLast = false, sequence = 0) => ({
  ...{ sequence, timestamp, isLast, payloadType: 96 },
  payload: Buffer.from(payload, 'hex'),
})

t.test('H.264: single units, aggregates and fragments become one picture', async (t) => {
  const depacketizer = new NalDepacketizer(H264, [Buffer.from('67aa', 'hex'), Buffer.from('68bb', 'hex')])
  t.same(depacketizer.push(packet('7c8511', 1), false), [])
  t.same(depacketizer.push(packet('7c0522', 1), false), [])
  const [key] = depacketizer.push(packet('7c4533', 1, true), false)
  t.match(key, { timestamp: 1, isKey: true, isDamaged: false, isDisposable: false })
  t.equal(key!.data.toString('hex'), `${START}67aa${START}68bb${START}65112233`)

  const [next] = depacketizer.push(packet('780002410100020102', 2, true), false)
  t.equal(next!.data.toString('hex'), `${START}4101${START}0102`)
  t.match(next, { isKey: false, isDisposable: false })
  t.match(depacketizer.push(packet('0102', 3, true), false), [{ isDisposable: true }])
})

t.test('H.264: a loss marks its picture, and a picture without an end mark is not lost', async (t) => {
  const depacketizer = new NalDepacketizer(H264, [])
  depacketizer.push(packet('7c8111', 1), false)
  t.match(depacketizer.push(packet('7c4133', 1, true), true), [])
  depacketizer.push(packet('4101', 2), false)
  t.match(depacketizer.push(packet('4102', 3, true), false), [{ timestamp: 2 }, { timestamp: 3 }])
  depacketizer.push(packet('4101', 4), false)
  t.match(depacketizer.push(packet('4102', 4, true), true), [{ timestamp: 4, isDamaged: true }])
})

t.test('H.265: fragments get the header of their unit back', async (t) => {
  const depacketizer = new NalDepacketizer(H265, [])
  depacketizer.push(packet('62019311', 1), false)
  const [key] = depacketizer.push(packet('62015322', 1, true), false)
  t.equal(key!.data.toString('hex'), `${START}26011122`)
  t.equal(key!.isKey, true)
})

t.test('any packets give pictures or nothing', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 60 }), fc.boolean(), fc.boolean())), (pieces) => {
        const all = [new NalDepacketizer(H264, []), new NalDepacketizer(H265, []), new JpegDepacketizer()]
        for (const [i, [bytes, isLast, isAfterLoss]] of pieces.entries())
          for (const one of all) one.push({ ...packet('', i >> 1, isLast), payload: Buffer.from(bytes) }, isAfterLoss)
        for (const [bytes] of pieces) {
          parseRtp(Buffer.from(bytes))
          parseSenderReport(Buffer.from(bytes))
          parseSdp(Buffer.from(bytes).toString('latin1'))
        }
      }),
    ),
  )
})

t.test('RTP: extension, sources and padding are left out', async (t) => {
  const bytes = Buffer.from(
    `b1e00007${'000003e8'}${'11111111'}${'22222222'}${'bede0001'}${'aaaaaaaa'}6501${'000002'}`,
    'hex',
  )
  t.match(parseRtp(bytes), { sequence: 7, timestamp: 1_000, isLast: true, payloadType: 96 })
  t.equal(parseRtp(bytes)!.payload.toString('hex'), '650100')
  t.equal(parseRtp(Buffer.from('80e0', 'hex')), undefined)
})

t.test('sender reports give the time, also after 2036; one without a clock gives none', async (t) => {
  const report = (seconds: number) => {
    const bytes = Buffer.alloc(28)
    bytes.set([0x80, 200, 0, 6])
    bytes.writeUInt32BE(seconds, 8)
    bytes.writeUInt32BE(0x80000000, 12)
    bytes.writeUInt32BE(777, 16)
    return bytes
  }
  const seconds = 2_208_988_800 + 1_764_590_400
  t.same(parseSenderReport(report(seconds)), { ntpMs: 1_764_590_400_500, timestamp: 777 })
  t.same(parseSenderReport(Buffer.concat([receiverReport(1), report(seconds)]))?.timestamp, 777)
  t.equal(new Date(parseSenderReport(report(10))!.ntpMs).getUTCFullYear(), 2036)
  t.equal(parseSenderReport(report(0)), undefined)
})

t.test('timestamps go on beyond 32 bits, forwards and back', async (t) => {
  const clock = new Unwrapper()
  t.same(
    [0xfffffff0, 0x10, 0xfffffff8].map((value) => clock.next(value)),
    [0xfffffff0, 2 ** 32 + 16, 0xfffffff8],
  )
})

t.test('packets that overtake each other come in order, and one that never comes is a loss', async (t) => {
  const buffer = new ReorderBuffer()
  const push = (sequence: number, patience = 2) =>
    buffer
      .push({ ...packet('', 0), sequence }, patience)
      .map(({ packet: { sequence: s }, isAfterLoss }) => [s, isAfterLoss])
  t.same(push(65_535), [[65_535, false]])
  t.same(push(1), [])
  t.same(push(0), [
    [0, false],
    [1, false],
  ])
  t.same([push(3), push(4)], [[], []])
  t.same(push(5), [
    [3, true],
    [4, false],
    [5, false],
  ])
  t.same(push(2), [])
  t.equal(buffer.late, 1)
  t.same(push(7, 0), [[7, true]])
})

t.test('SDP: video only, with its codec, parameters and address', async (t) => {
  const text = [
    'v=0\r\na=control:*\r\nm=audio 0 RTP/AVP 0\r\na=control:track1',
    'm=video 0 RTP/AVP 96\r\na=rtpmap:96 h264/90000\r\na=fmtp:96 packetization-mode=1; sprop-parameter-sets=Zw==,aA==',
    'a=control:track2\r\nm=video 0 RTP/AVP 26\r\n',
  ].join('\r\n')
  t.match(parseSdp(text), [
    { codec: 'H264', payloadType: 96, control: 'track2', format: { 'sprop-parameter-sets': 'Zw==,aA==' } },
    { codec: 'JPEG', payloadType: 26, control: '*', clockRate: 90_000 },
  ])
})

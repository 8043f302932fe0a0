import fc from 'fast-check'
import t from 'tap'
import type { Camera } from '../../../engine/model/camera.js'
import { AlprError, type ErrorCode } from '../../../engine/errors.js'
import { MAX_FRAME_BYTES, parseFrame } from '../../../engine/sources/frame.js'
import type { CameraMessage } from '../../../engine/model/capture.js'
import { MAIN_ST } from '../passes/plates.js'

const ARRIVED = Date.parse('2026-11-22T12:00:00.000Z')
const FUTURE_MS = 120_000
const TRAILER: Camera = { id: 'trailer-1', name: 'Trailer', kind: 'trailer', agency: '' }
function message(
  headers: Record<string, string> = {},
  camera = 'main-st',
  payload = new Uint8Array([1]),
): CameraMessage {
  const all: Record<string, string> = { 'Captured-At': '2026-11-22T11:59:59.500Z', ...headers }
  return {
    seq: 7,
    subject: `frames.2.${camera}`,
    camera,
    arrivedAt: ARRIVED,
    payload,
    header: (name) => all[name] || undefined,
  }
}

function codeOf(message: CameraMessage, now = ARRIVED): ErrorCode | 'accepted' {
  try {
    parseFrame(message, message.camera === TRAILER.id ? TRAILER : MAIN_ST, FUTURE_MS, now)
    return 'accepted'
  } catch (error) {
    if (error instanceof AlprError) return error.code
    throw error
  }
}

t.test('a valid frame gets a time and a position', async (t) => {
  t.match(parseFrame(message(), MAIN_ST, FUTURE_MS), {
    seq: 7,
    capturedAt: ARRIVED - 500,
    lat: 38.75,
    lon: -121.28,
    heading: 0,
    feed: '',
  })
  const moving = message({ Position: '38.7521,-121.2880', Heading: '271.5', Speed: '13.4' }, 'trailer-1')
  t.match(parseFrame(moving, TRAILER, FUTURE_MS), { lat: 38.7521, lon: -121.288, heading: 271.5, speed: 13.4 })
})

t.test('a fixed camera is where the registry says, even if the frame says otherwise', async (t) => {
  t.match(parseFrame(message({ Position: '10,10' }), MAIN_ST, FUTURE_MS), { lat: 38.75, lon: -121.28 })
})

t.test('each kind of invalid frame has its own reason', async (t) => {
  const time = (value: string) => codeOf(message({ 'Captured-At': value }))
  t.equal(codeOf(message({}, 'main-st', new Uint8Array())), 'ALPR_ERR_FRAME_EMPTY')
  t.equal(codeOf(message({}, 'main-st', new Uint8Array(MAX_FRAME_BYTES + 1))), 'ALPR_ERR_FRAME_TOO_LARGE')
  t.equal(time(''), 'ALPR_ERR_FRAME_TIME_MISSING')
  for (const bad of [
    'yesterday',
    '2026-13-01T00:00:00Z',
    '2026-11-22 11:59:59',
    '2026-11-22T11:59:59',
    '2026-11-22T11:59:59+01:00',
    '1763812799',
  ])
    t.equal(time(bad), 'ALPR_ERR_FRAME_TIME_INVALID', bad)
  t.equal(time('1970-01-01T00:00:03Z'), 'ALPR_ERR_FRAME_TIME_ABSURD')
  t.equal(time('2026-11-22T12:02:00.001Z'), 'ALPR_ERR_FRAME_TIME_FUTURE')
  t.equal(time('2026-11-22T12:02:00.000Z'), 'accepted', 'clocks may differ a little')
  const live = message({ 'Captured-At': '2026-11-22T12:03:00.000Z' })
  t.equal(codeOf(live, ARRIVED + 180_000), 'accepted', 'the clock of the NATS server is three minutes slow')
  t.equal(codeOf(live, ARRIVED - 3_600_000), 'ALPR_ERR_FRAME_TIME_FUTURE', 'our own clock is slow, too')
  t.equal(codeOf(message({}, 'trailer-1')), 'ALPR_ERR_FRAME_POSITION_MISSING')
  for (const bad of ['91,0', '0,181', 'here', '1;2', '38.7', 'NaN,NaN'])
    t.equal(codeOf(message({ Position: bad }, 'trailer-1')), 'ALPR_ERR_FRAME_HEADER_INVALID', bad)
})

t.test('a day or an hour that does not exist is no time', async (t) => {
  const time = (value: string) => codeOf(message({ 'Captured-At': value }))
  for (const bad of ['2026-02-30', '2026-04-31', '2025-02-29', '2026-00-10', '2026-06-00'])
    t.equal(time(`${bad}T08:00:00Z`), 'ALPR_ERR_FRAME_TIME_INVALID', bad)
  for (const bad of ['24:00:00', '23:60:00', '23:59:60', '25:00:00'])
    t.equal(time(`2026-05-01T${bad}Z`), 'ALPR_ERR_FRAME_TIME_INVALID', bad)
  t.equal(time('2024-02-29T23:59:59Z'), 'accepted')
})

t.test('a position of 0,0 is a missing one', async (t) => {
  for (const zero of ['0,0', '-0,-0', '0.000000,0.000000', '0.000001,-0.000001'])
    t.equal(codeOf(message({ Position: zero }, 'trailer-1')), 'ALPR_ERR_FRAME_POSITION_MISSING', zero)
  t.equal(codeOf(message({ Position: '0,9.45' }, 'trailer-1')), 'accepted', 'Libreville')
  t.match(parseFrame(message({ Position: 'NaN,NaN' }), MAIN_ST, FUTURE_MS), { lat: 38.75 }, 'a fixed camera needs none')
})

t.test('an impossible heading or speed is left out, and the frame stays', async (t) => {
  for (const bad of ['400', '-1', 'NaN', 'null', 'north']) {
    const frame = parseFrame(message({ Heading: bad, Speed: bad }), MAIN_ST, FUTURE_MS)
    t.match(frame, { heading: 0, leftOut: ['heading', 'speed'] }, bad)
    t.equal(frame.speed, undefined)
  }
  t.same(parseFrame(message({ Heading: '90' }), MAIN_ST, FUTURE_MS).leftOut, [])
})

t.test('any header either passes or is rejected with a reason', async (t) => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (at, position, heading, speed) => {
      codeOf(message({ 'Captured-At': at, Position: position, Heading: heading, Speed: speed }, 'trailer-1'))
    }),
  )
  t.pass()
})

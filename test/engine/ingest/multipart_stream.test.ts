import fc from 'fast-check'
import t from 'tap'
import { MultipartStream } from '../../../engine/ingest/multipart_stream.js'
import { timeOfHeaders } from '../../../engine/ingest/part_time.js'

/** What cameras send. @param style which of the usual deviations */
function encode(bodies: readonly Buffer[], style: { boundary: string; length: boolean; end: string; before: string }) {
  const { boundary, length, end, before } = style
  const part = (body: Buffer) =>
    Buffer.concat([
      Buffer.from(`--${boundary}${end}Content-Type: image/jpeg${end}`),
      Buffer.from(length ? `Content-Length: ${body.length}${end}${end}` : end),
      body,
      Buffer.from(end),
    ])
  return Buffer.concat([Buffer.from(before), ...bodies.map(part), Buffer.from(`--${boundary}`)])
}

const bodies = fc.array(
  fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from([0xff, 0xd8, ...bytes, 0xd9])),
  { minLength: 1, maxLength: 6 },
)
const styles = fc.record({
  boundary: fc.constantFrom('b', 'myboundary', '--dashes', 'Be Quick:;='),
  length: fc.boolean(),
  end: fc.constantFrom('\r\n', '\n'),
  before: fc.constantFrom('', '\r\n', 'preamble\r\n'),
})

t.test('parts come out as they went in, however the stream is cut', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(bodies, styles, fc.integer({ min: 1, max: 97 }), (all, style, size) => {
        const { boundary } = style
        const bytes = encode(all, { ...style, boundary: boundary.replace(/^--/, '') })
        const stream = new MultipartStream(boundary)
        const out: Buffer[] = []
        for (let at = 0; at < bytes.length; at += size)
          out.push(...stream.push(bytes.subarray(at, at + size)).map(({ body }) => body))
        return out.length === all.length && out.every((body, i) => body.equals(all[i]!))
      }),
    ),
  )
})

t.test('any bytes end in parts or in a CameraError', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (pieces) => {
        const stream = new MultipartStream('b')
        for (const piece of pieces) {
          stream.push(Buffer.from('--b\r\n'))
          stream.push(Buffer.from(piece))
        }
      }),
    ),
  )
})

t.test('a wrong length does not swallow the next picture', async (t) => {
  const stream = new MultipartStream('b')
  const text = '--b\r\nContent-Length: 3\r\n\r\nabcdef\r\n--b\r\nContent-Length: 6\r\n\r\nghijkl\r\n--b\r\n'
  t.same(
    stream.push(Buffer.from(text)).map(({ body }) => body.toString()),
    ['abcdef', 'ghijkl'],
  )
  t.throws(() => stream.push(Buffer.from('Content-Length: 99999999\r\n\r\n')), { name: 'CameraError' })
})

t.test('a boundary is taken from the content type', async (t) => {
  const boundaryOf = (parameters: string) => MultipartStream.boundaryOf(`multipart/x-mixed-replace${parameters}`)
  t.same([';boundary=b', '; boundary="a b"', '; Boundary = --x; charset=a', ''].map(boundaryOf), [
    'b',
    '"a b"',
    '--x',
    undefined,
  ])
})

t.test('times of headers: s, ms, us, RFC 3339; not the time since the camera was switched on', async (t) => {
  const time = 1_764_590_400_250
  const of = (value: string) => timeOfHeaders({ 'x-timestamp': value })
  t.same(
    ['1764590400.25', '1764590400250', '1764590400250000', '2025-12-01T12:00:00.250Z'].map(of),
    Array(4).fill(time),
  )
  t.same(['12345.67', '0', '-1', 'now', '2025-12-01 12:00:00', ''].map(of), Array(6).fill(undefined))
})

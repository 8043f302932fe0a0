import fc from 'fast-check'
import t from 'tap'
import { parameterOf, parseMultipart } from '../../../gateway/push/multipart.js'
import { multipart } from './fixtures.js'

t.test('parts come back as they were sent, whatever their bytes', async () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 10 }), (pieces) => {
      const body = multipart(
        'MIME_boundary',
        pieces.map((data, i) => [
          `Content-Disposition: form-data; name="p${i}"; filename="f ${i};.jpg"\r\nContent-Type: image/jpeg; q=1\r\n` +
            `Content-Length: ${data.length}`,
          Buffer.from(data),
        ]),
      )
      const parts = parseMultipart(body, 'multipart/form-data; boundary="MIME_boundary"')
      t.same(
        parts.map(({ name, data, type }) => [name, type, data.toString('hex')]),
        pieces.map((data, i) => [`p${i}`, 'image/jpeg', Buffer.from(data).toString('hex')]),
      )
    }),
    { numRuns: 100 },
  )
})

t.test('any bytes give parts or a RangeError', async (t) => {
  const piece = fc.oneof(
    fc.constantFrom(
      '--b',
      '--b--',
      '\r\n',
      '\n',
      'Content-Length: 99',
      'Content-Disposition: form-data; name="a"',
      ':',
    ),
    fc.string({ maxLength: 8 }),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 40 }),
      fc.constantFrom('; boundary=b', '', '; boundary="b'),
      (text, type) => {
        const body = Buffer.from(text.join(''), 'latin1')
        try {
          for (const { data } of parseMultipart(body, `multipart/mixed${type}`))
            if (data.length > body.length) return false
          return true
        } catch (error) {
          return error instanceof RangeError
        }
      },
    ),
    { numRuns: 2_000 },
  )
  t.pass('no other error')
})

t.test('the ways in which cameras write it are read', async (t) => {
  const read = (body: string, type = 'multipart/form-data; boundary=x') =>
    parseMultipart(Buffer.from(body, 'latin1'), type).map(({ name, data }) => [name, data.toString('latin1')])
  const disposition = 'Content-Disposition: form-data; name=a'
  t.same(read(`--x\r\n${disposition}\r\n\r\none\r\n--x--\r\n`), [['a', 'one']])
  t.same(read(`preamble\r\n--x\n${disposition}\n\none\n--x--`), [['a', 'one']], 'LF alone')
  t.same(read(`--x\r\n${disposition}\r\n\r\none`), [['a', 'one']], 'without a last delimiter')
  t.same(read('--x\r\nContent-Type: image/jpeg\r\n\r\none\r\n--x--'), [['', 'one']], 'without a disposition')
  t.same(
    read(`--x\r\n${disposition}\r\n\r\none\r\n--x--`, 'multipart/mixed; boundary=--x'),
    [['a', 'one']],
    'dashes in the boundary',
  )
  t.same(read(`--x\r\n${disposition}\r\n\r\na --x b\r\n--x--`), [['a', 'a --x b']], 'a delimiter within a line')
})

t.test('bounds are kept', async (t) => {
  const many = multipart(
    'x',
    Array.from({ length: 65 }, () => ['A: b', 'c'] as const),
  )
  t.throws(() => parseMultipart(many, 'multipart/mixed; boundary=x'), /more than 64 parts/)
  const long = Buffer.from(`--x\r\n${'a: b\r\n'.repeat(2_000)}\r\n`)
  t.throws(() => parseMultipart(long, 'multipart/mixed; boundary=x'), /no end within 8192 bytes/)
  t.equal(parameterOf('form-data; name="a\\b"; filename=c', 'filename'), 'c')
})

import { createHash } from 'node:crypto'
import t from 'tap'
import { Authorization } from '../../../engine/ingest/authorization.js'
import { redact } from '../../../engine/runtime/redact.js'

const md5 = (text: string) => createHash('md5').update(text).digest('hex')

t.test('Digest without qop, as RFC 2069 has it, and Basic where nothing better is offered', async (t) => {
  const one = new Authorization({ user: 'admin', password: 'pw' })
  t.equal(one.header('DESCRIBE', 'rtsp://h/x'), undefined)
  t.equal(one.challenged(['Basic realm="a"', 'Digest realm="a, b", nonce="n1", algorithm=MD5']), undefined)
  const expected = md5(`${md5('admin:a, b:pw')}:n1:${md5('DESCRIBE:rtsp://h/x')}`)
  t.match(one.header('DESCRIBE', 'rtsp://h/x'), new RegExp(`^Digest username="admin".*response="${expected}"`))

  const basic = new Authorization({ user: 'admin', password: 'pw' })
  basic.challenged(['Basic realm="a"'])
  t.equal(basic.header('GET', '/'), `Basic ${Buffer.from('admin:pw').toString('base64')}`)
})

t.test('SHA-256 is preferred to MD5; unknown kinds are named', async (t) => {
  const one = new Authorization({ user: 'u', password: 'p' })
  one.challenged(['Digest realm="a", nonce="x", Digest realm="a", nonce="y", algorithm=SHA-256, qop="auth,auth-int"'])
  t.match(one.header('GET', '/'), /nonce="y".*algorithm=SHA-256.*qop=auth, nc=00000001/)
  t.match(new Authorization({ user: 'u', password: 'p' }).challenged(['Negotiate']), /not known/)
  t.match(new Authorization(undefined).challenged(['Basic realm="a"']), /asks for a user/)
})

t.test('a refusal is one; a nonce that ended its life is none', async (t) => {
  const one = new Authorization({ user: 'u', password: 'p' })
  const challenge = 'Digest realm="a", nonce="1"'
  t.equal(one.challenged([challenge]), undefined)
  one.header('GET', '/')
  t.match(one.challenged([challenge]), /refuses/)

  const long = new Authorization({ user: 'u', password: 'p' })
  long.challenged([challenge])
  long.header('GET', '/')
  t.equal(long.challenged(['Digest realm="a", nonce="2", stale=TRUE']), undefined)
  long.header('GET', '/')
  long.header('GET', '/')
  t.equal(long.challenged(['Digest realm="a", nonce="3"']), undefined)
})

t.test('texts lose the secrets of the addresses in them', async (t) => {
  for (const [text, expected] of [
    ['rtsp://admin:S3cret@10.0.0.1/x failed', 'rtsp://10.0.0.1/x failed'],
    ['a rtsp://u:p@ss/wo@h:1/x, b', 'a rtsp://h:1/x, b'],
    ['http://h/snap.jpg?user=a&pwd=b&x=1', 'http://h/snap.jpg?user=a&pwd=***&x=1'],
    ['rtsp://h/user=admin_password=tlJw_channel=1', 'rtsp://h/user=admin_password=***'],
    ['http://h/x?token=***', 'http://h/x?token=***'],
    ['no address', 'no address'],
  ])
    t.equal(redact(text!), expected)
})

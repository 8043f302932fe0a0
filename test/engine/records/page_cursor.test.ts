import t from 'tap'
import { cursorOf, isBefore, parseCursor } from '../../../engine/records/page_cursor.js'

t.test('a cursor is a position in (time, id), and any other text is refused', (t) => {
  const cursor = { time: 1_795_316_400_000, id: '0000000000000012-0.svs.7ABC123' }
  t.same(parseCursor(cursorOf(cursor)), cursor)
  for (const text of [
    '',
    'x',
    'MTIz',
    Buffer.from('12 a b').toString('base64url'),
    Buffer.from('x y').toString('base64url'),
  ]) {
    t.throws(() => parseCursor(text), { code: 'ALPR_ERR_REQUEST_INVALID' }, text)
  }
  t.ok(isBefore({ time: 1, id: '9' }, { time: 2, id: '1' }))
  t.ok(isBefore({ time: 1, id: '9' }, { time: 1, id: '10' }), 'digits compare as numbers')
  t.notOk(isBefore({ time: 1, id: '10' }, { time: 1, id: '10' }))
  t.ok(isBefore({ time: 1, id: '9.a' }, { time: 1, id: '9.b' }))
  t.end()
})

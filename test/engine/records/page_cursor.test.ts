import t from 'tap'
import { cursorOf, parseCursor } from '../../../engine/records/page_cursor.js'

t.test('a cursor is a position in (time, id), and any other text is refused', (t) => {
  const cursor = { time: 1_795_316_400_000, id: '0000000000000012-0.svs.7ABC123' }
  t.same(parseCursor(cursorOf(cursor), /./), cursor)
  t.throws(() => parseCursor(cursorOf(cursor), /^\d+$/), { code: 'ALPR_ERR_REQUEST_INVALID' }, 'of another list')
  for (const text of [
    '',
    'x',
    'MTIz',
    Buffer.from('12 a b').toString('base64url'),
    Buffer.from('x y').toString('base64url'),
  ]) {
    t.throws(() => parseCursor(text, /./), { code: 'ALPR_ERR_REQUEST_INVALID' }, text)
  }
  t.end()
})

import t from 'tap'
import { toCsv } from '../../../gateway/http/csv_writer.js'

t.test('a table cell cannot become a formula', (t) => {
  const rows = [
    { text: '=1+1', more: '@x' },
    { text: 'a,b', more: 'line\nbreak' },
    { text: '-5', more: '' },
  ]
  t.equal(
    toCsv(rows, [
      ['text', (r) => r.text],
      ['more', (r) => r.more],
      ['n', () => -5],
      ['none', () => undefined],
    ]),
    'text,more,n,none\r\n\'=1+1,\'@x,-5,\r\n"a,b","line\nbreak",-5,\r\n\'-5,,-5,\r\n',
  )
  t.end()
})

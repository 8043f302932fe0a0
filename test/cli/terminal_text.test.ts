import t from 'tap'
import { readableLogLine } from '../../cli/supervise/log_line.js'
import { terminalText, terminalWord } from '../../cli/terminal_text.js'

t.test('control characters and turns of direction are shown, not sent', async (t) => {
  t.equal(terminalText('gate \u001b[2J\u009b1m\u0007\r'), 'gate \\u001b[2J\\u009b1m\\u0007\\u000d')
  t.equal(terminalText('a\u202egnp.exe'), 'a\\u202egnp.exe')
  t.equal(terminalText('Zürich 東京\n\tß'), 'Zürich 東京\n\tß')
  t.equal(terminalWord('one\nplatestream: all is well'), 'one\\nplatestream: all is well')
})

t.test('a JSON line keeps its meaning, whatever characters are in it', async (t) => {
  const all = Array.from({ length: 0xffff }, (_, code) => String.fromCharCode(code)).join('')
  const line = terminalText(JSON.stringify({ all }))
  t.equal(JSON.parse(line).all === all, true)
  const sent = [...line].filter((char) => char < ' ' || (char >= '\u007f' && char <= '\u009f'))
  t.same(sent, [])
})

t.test('log lines of parts are one line without control characters', async (t) => {
  const line = readableLogLine(
    'engine',
    JSON.stringify({ level: 40, time: 0, msg: 'x', camera: 'a\u001b]0;b\u0007\nc' }),
  )
  t.match(line, /camera=a\\u001b\]0;b\\u0007\\nc$/)
  t.match(readableLogLine('engine', '\u001b[31mpanic'), /\\u001b\[31mpanic$/)
})

import { readFileSync } from 'node:fs'
import t from 'tap'
import { AlprError, codeOf, ERROR_CODES, errorTable, reasonOf } from '../../engine/errors.js'
import { WasmError } from '../../wasm/mod.js'

t.test('every code has our prefix, is there once, and has a message and an HTTP status', async (t) => {
  t.equal(new Set(ERROR_CODES).size, ERROR_CODES.length)
  for (const { code, message, status } of errorTable()) {
    t.match(code, /^ALPR_ERR_[A-Z]+(_[A-Z]+)*$/, code)
    t.ok(message.length > 0 && status >= 400 && status < 600, code)
  }
})

t.test('docs/errors.md lists exactly the codes of the table', async (t) => {
  const documented = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `(ALPR_ERR_\w+)` \| (\d+) \| (.*) \|$/gm)]
  t.same(
    documented.map(([, code, status]) => [code, Number(status)]).sort(),
    errorTable()
      .map(({ code, status }) => [code, status])
      .sort(),
    'run build/errors_doc.mjs',
  )
})

t.test('an error names the value and the limit, and says only itself as JSON', async (t) => {
  const error = new AlprError('ALPR_ERR_FRAME_TOO_LARGE', { what: 'width', value: 20_000, limit: 8_192 })
  t.equal(error.message, 'the frame is too large: width is 20000, the limit is 8192')
  t.same(JSON.parse(JSON.stringify(error)), {
    code: 'ALPR_ERR_FRAME_TOO_LARGE',
    message: error.message,
    details: { what: 'width', value: 20_000, limit: 8_192 },
  })
})

t.test('foreign errors are internal, in one line', async (t) => {
  t.equal(codeOf(new Error('x')), 'ALPR_ERR_INTERNAL')
  t.equal(codeOf(new WasmError('ALPR_ERR_IMAGE_SIZE')), 'ALPR_ERR_IMAGE_SIZE')
  t.equal(reasonOf(new Error('first\nsecond')), 'first')
})

import fc from 'fast-check'
import t from 'tap'
import { CsvReader } from '../../../engine/runtime/csv_reader.js'

const parse = (text: string, delimiter = ',', cuts: number[] = []) => {
  const bytes = Buffer.from(text)
  const reader = new CsvReader(delimiter)
  const records = []
  let at = 0
  for (const cut of cuts) {
    records.push(...reader.push(bytes.subarray(at, at + cut)))
    at += cut
  }
  records.push(...reader.push(bytes.subarray(at)), ...reader.end())
  return records
}

t.test('CSV of RFC 4180 parses back to its fields, in pieces of any size', async (_t) => {
  const quoted = (field: string) => (/[",;\n\r]|^$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
  const field = fc.string({ unit: fc.constantFrom('a', 'B', ' ', ',', ';', '"', '\n', 'é', '車', '1') })
  fc.assert(
    fc.property(
      fc.array(fc.array(field, { minLength: 1, maxLength: 4 }), { maxLength: 6 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean(),
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 }),
      (records, end, last, cuts) => {
        const text = records.map((r) => r.map(quoted).join(',')).join(end) + (last && records.length ? end : '')
        return JSON.stringify(parse(text, ',', cuts).map((r) => r.fields)) === JSON.stringify(records)
      },
    ),
  )
})

t.test('any text parses or is refused, and records know their lines', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      try {
        parse(text)
      } catch (error) {
        return /a quote is never closed/.test((error as Error).message)
      }
      return true
    }),
  )
  t.same(
    parse('a\n"b\nc",d\r\n\ne').map((r) => [r.line, r.fields.length]),
    [
      [1, 1],
      [2, 2],
      [5, 1],
    ],
  )
  t.same(
    parse('\ufeffplate').map((r) => r.fields),
    [['plate']],
  )
  t.throws(() => parse('a\nb,"c\nd'), /line 2: a quote is never closed/)
  t.throws(() => parse(`a\n"${'x'.repeat(70_000)}`), /line 2: longer than 65536/)
})

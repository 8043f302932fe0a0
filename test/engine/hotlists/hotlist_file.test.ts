import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { CsvReader } from '../../../engine/hotlists/csv_reader.js'
import { readHotListFile, type HotListFileOptions } from '../../../engine/hotlists/hotlist_file.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-lists-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

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
let made = 0
const read = (content: string | Buffer, options: Partial<HotListFileOptions> = {}) => {
  const file = join(folder, `${made++}.csv`)
  writeFileSync(file, content)
  return readHotListFile({ file, ...options })
}

t.test('CSV written by the rules comes back, however it is cut', async (_t) => {
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

t.test('CSV of any kind never hangs or grows, and lines are counted', async (t) => {
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

t.test('columns by their usual names, by given names, by number, by position', async (t) => {
  t.match(await read('State;License Plate;Alert\nca;7abc 123;Stolen\n\nNV;X-1;\n', { reason: 'unknown' }), {
    lines: 2,
    bad: 0,
    entries: [
      { plate: '7ABC123', reason: 'Stolen', region: 'CA' },
      { plate: 'X1', reason: 'unknown', region: 'NV' },
    ],
  })
  t.match((await read('a,b,c\nr,7ABC123,x\n', { columns: { plate: 'B', reason: 'a' } })).entries, [
    { plate: '7ABC123', reason: 'r' },
  ])
  t.match((await read('7ABC123\tstolen\n', { header: false, delimiter: '\t', columns: { reason: '2' } })).entries, [
    { plate: '7ABC123', reason: 'stolen' },
  ])
  t.match(
    (
      await read('7ABC123 CA stolen car  \nX1      NV\n', {
        fixed: [
          { name: 'plate', start: 1, end: 8 },
          { name: 'region', start: 9, end: 10 },
          { name: 'reason', start: 12, end: 40 },
        ],
      })
    ).entries,
    [
      { plate: '7ABC123', region: 'CA', reason: 'stolen car' },
      { plate: 'X1', region: 'NV', reason: '' },
    ],
  )
  t.match((await read('plate,from,until\nA1,2026-05-01,2026-05-02T08:00:00Z\n')).entries, [
    { plate: 'A1', from: Date.UTC(2026, 4, 1), until: Date.UTC(2026, 4, 2, 8) },
  ])
})

t.test('bad lines are named by number; the file is refused over the limit', async (t) => {
  const bad = 'plate,until\nA1,\n7A?,\n,\nB2,05/04/2026\nC3,\n'
  await t.rejects(read(bad), { code: 'ALPR_ERR_HOTLIST_INVALID', message: /line 3: the plate has the character "\?"/ })
  await t.rejects(read(bad, { maxBad: 1 }), {
    message: /line 3: .*; line 5: "05\/04\/2026" is not a time.*more than 1 bad lines/,
  })
  t.match(await read(bad, { maxBad: 2 }), {
    lines: 4,
    bad: 2,
    badLines: [{ line: 3 }, { line: 5 }],
    entries: [{ plate: 'A1' }, { plate: 'C3' }],
  })
})

t.test('files that are no lists say why', async (t) => {
  await t.rejects(read(''), { message: /the file is empty/ })
  await t.rejects(read('name,age\nx,1\n'), {
    message: /no column is the plate; name it with --plate-column \(the header has "name", "age"\)/,
  })
  await t.rejects(read('plate\nA1\n', { columns: { reason: 'why' } }), { message: /there is no column "why"/ })
  await t.rejects(read('A1\n', { header: false, columns: { plate: 'one' } }), { message: /a column is a number/ })
  await t.rejects(readHotListFile({ file: join(folder, 'nowhere') }), { message: /there is no such file/ })
})

t.test('a long list costs a few microseconds a line', async (t) => {
  const lines = ['plate,reason,state']
  for (let i = 0; i < 200_000; i++) lines.push(`${String.fromCharCode(65 + (i % 26))}${100_000 + i},stolen vehicle,CA`)
  const before = process.cpuUsage()
  const { entries } = await read(lines.join('\n'))
  const { user, system } = process.cpuUsage(before)
  t.equal(entries.length, 200_000)
  t.ok(user + system < 4_000_000, `${Math.round((user + system) / 1_000)} ms of processor time`)
})

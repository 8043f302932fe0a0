import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readHotListFile, type HotListFileOptions } from '../../../engine/hotlists/hotlist_file.js'

/** Lists as agencies and their systems write them. */

const folder = mkdtempSync(join(tmpdir(), 'platestream-lists-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const LA = { zone: 'America/Los_Angeles' }

let made = 0
const read = (content: string | Buffer, options: Partial<HotListFileOptions> = {}) => {
  const file = join(folder, `${made++}.csv`)
  writeFileSync(file, content)
  return readHotListFile({ file, ...options })
}
const used = (columns: readonly { name: string; as?: string }[]) =>
  Object.fromEntries(columns.flatMap(({ name, as }) => (as ? [[as, name]] : [])))
const leftOut = (columns: readonly { name: string; as?: string }[]) =>
  columns.flatMap(({ name, as }) => (as ? [] : [name]))

t.test("Genetec's default file keeps state, reason and both days, whatever the delimiter", async (t) => {
  const lines = [
    ['Category', 'PlateState', 'PlateNumber', 'EffectiveDate', 'ExpiryDate'],
    ['Stolen', 'CA', '7ABC123', '2026-01-01', '2026-05-31'],
    ['Wanted', 'NV', '123ABC', '2026-01-01', '2027-12-31'],
  ]
  for (const delimiter of [';', ',', '\t', '|', ':']) {
    const file = await read(lines.map((line) => line.join(delimiter)).join('\r\n'), LA)
    t.match(file, { lines: 2, bad: 0, ended: 1, delimiter })
    t.same(leftOut(file.columns), [])
    t.same(file.entries, [
      {
        plate: '7ABC123',
        reason: 'Stolen',
        region: 'CA',
        from: Date.parse('2026-01-01T00:00:00-08:00'),
        // The last valid day is 31 May: it ends with that day, in summer time.
        until: Date.parse('2026-06-01T00:00:00-07:00'),
      },
      {
        plate: '123ABC',
        reason: 'Wanted',
        region: 'NV',
        from: Date.parse('2026-01-01T00:00:00-08:00'),
        until: Date.parse('2028-01-01T00:00:00-08:00'),
      },
    ])
  }
})

t.test('the usual spellings of each column are known; what is not is named', async (t) => {
  const until = ['Expiration', 'Expiration Date', 'Exp Date', 'Valid To', 'Expires On', 'EndDate', 'Expiry Date']
  until.push('expires', 'until', 'END_DATE', 'Valid Until', 'valid-thru', 'Weed Date', 'Date Expires', 'Expiry (date)')
  for (const name of until) t.same(used((await read(`plate,${name}\nA1,\n`)).columns).until, name)
  for (const name of ['EffectiveDate', 'Start', 'Begin Date', 'valid from', 'From', 'Active Since', 'Effective'])
    t.same(used((await read(`plate,${name}\nA1,\n`)).columns).from, name)
  for (const name of ['PlateState', 'St', 'State/Province', 'LIS', 'State of issue', 'Jurisdiction', 'Country'])
    t.same(used((await read(`plate,${name}\nA1,\n`)).columns).region, name)
  for (const name of ['Plate No.', 'LICENSE_PLATE', 'Tag #', 'VRM', 'LIC', 'Reg. No', 'License Number', 'Matrícula'])
    t.same(used((await read(`${name},x\nA1,\n`)).columns).plate, name)
  const uk =
    'VRM,make,model,colour,action,warning markers,reason,NIM,information/action,force and area,weed date,PNC id'
  const { columns } = await read(`${uk}\n${'A1,'.repeat(6)}stolen,,,,2099-01-01,7\n`)
  t.same(used(columns), { plate: 'VRM', reason: 'reason', until: 'weed date' })
  t.same(leftOut(columns).length, 9)
  const other = await read('plate,Registration Expiry,LIY,status\nA1,2020-01-01,2020,x\n')
  t.same(leftOut(other.columns), ['Registration Expiry', 'LIY', 'status'], 'the expiry of a plate ends no entry')
})

t.test('days begin and end in the zone of the agency', async (t) => {
  const until = async (text: string, options: Partial<HotListFileOptions> = LA) =>
    (await read(`plate\texpires\nA1\t${text}\n`, options)).entries[0]?.until
  const endOfMay = Date.parse('2026-06-01T07:00:00Z')
  for (const text of ['2026-05-31', '2026/05/31', '20260531', '31.05.2026', '31-May-2026', 'May 31, 2026'])
    t.equal(await until(text), endOfMay, text)
  for (const text of ['2026-05-31 00:00:00', '2026-05-31T00:00', '2026-05-31 23:59:59', '2026-05-31 11:59 PM'])
    t.equal(await until(text), endOfMay, text)
  t.equal(await until('2026-05-31 08:30'), Date.parse('2026-05-31T15:30:00Z'))
  t.equal(await until('2026-05-31T08:30:00Z'), Date.parse('2026-05-31T08:30:00Z'), 'a time with a zone is that time')
  t.equal(await until('5/31/2026', { ...LA, dates: 'mdy' }), endOfMay)
  t.equal(await until('31/5/2026 0:00', { ...LA, dates: 'dmy' }), endOfMay)
  t.equal(await until('2026-03-29', { zone: 'Europe/Berlin' }), Date.parse('2026-03-29T22:00:00Z'), 'a day of 23 h')
  for (const none of ['', '-', 'N/A', 'null', 'never']) t.equal(await until(none), undefined, none)
  for (const bad of ['2027-02-31', '2026-02-29', '2026-05-31T24:00:00Z', '31.02.2026', '46173', '05/04/2026', 'soon'])
    await t.rejects(until(bad), { message: /is not a time such as 2026-05-01/ }, bad)
  await t.rejects(until('05/04/2026'), { message: /--dates dmy or mdy/ })
})

t.test('other encodings are read as what they are', async (t) => {
  const text = 'plate;reason\r\nMÜ-AB 123;Diebstahl – „Käfer“ €\r\n'
  const expected = [{ plate: 'MUAB123', reason: 'Diebstahl – „Käfer“ €' }]
  const be = Buffer.from(`\ufeff${text}`, 'utf16le').swap16()
  const cp1252 = Buffer.from(
    [...text].map((c) => ({ '–': 0x96, '„': 0x84, '“': 0x93, '€': 0x80 })[c] ?? c.charCodeAt(0)),
  )
  for (const [content, encoding] of [
    [Buffer.from(text), 'utf-8'],
    [Buffer.from(`\ufeff${text}`), 'utf-8'],
    [Buffer.from(`\ufeff${text}`, 'utf16le'), 'utf-16le'],
    [Buffer.from(text, 'utf16le'), 'utf-16le'],
    [be, 'utf-16be'],
    [cp1252, 'windows-1252'],
  ] as const)
    t.match(await read(content), { entries: expected, encoding }, encoding)
  await t.rejects(read(Buffer.concat([Buffer.from(text), cp1252])), { message: /some of its lines are UTF-8/ })
  t.match(await read(Buffer.concat([Buffer.from(text), cp1252]), { encoding: 'windows-1252', maxBad: 2 }), { lines: 3 })
})

t.test('a file that is no text with columns is refused by what it is', async (t) => {
  for (const [content, reason] of [
    [Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), Buffer.alloc(500, 7)]), /workbook of Excel/],
    ['<html><body>Session expired</body></html>', /page \(HTML or XML\)/],
    ['<?xml version="1.0"?><list/>', /page \(HTML or XML\)/],
    ['{"plates":["7ABC123"]}', /JSON/],
    ['[{"plate":"7ABC123"}]', /JSON/],
    [Buffer.from([0x1f, 0x8b, 8, 0]), /gzip/],
    ['%PDF-1.7\n', /PDF/],
  ] as const)
    await t.rejects(read(content), { code: 'ALPR_ERR_HOTLIST_INVALID', message: reason })
  await t.rejects(read('na\u001b[2Jme,x\n1,2\n'), { message: /^\P{Cc}*$/u }, 'no control character reaches a terminal')
})

t.test('lines before the header are passed over', async (t) => {
  for (const [content, line] of [
    ['sep=;\r\nplate;state;reason\r\n7ABC123;CA;Stolen\r\n', 2],
    ['\r\nplate;state;reason\r\n7ABC123;CA;Stolen\r\n', 2],
    ['Hot list export 2026-11-30\r\n\r\nplate,state,reason\r\n7ABC123,CA,Stolen\r\n', 3],
    ['# exported by X, version 2\nplate,state,reason\n7ABC123,CA,Stolen\n', 2],
    ['plate,state,reason\r\n7ABC123,CA,Stolen\r\n\u001a', 1],
    ['plate,state,reason\r7ABC123,CA,Stolen\r', 1],
    ['plate,state,reason,,\r\n7ABC123,CA,Stolen,,\r\n,,,,\r\n', 1],
    ['\ufeff"plate"\t"state"\t"reason"\n"7ABC123"\t"CA"\t"Stolen"\n', 1],
  ] as const)
    t.match(
      await read(content),
      { headerLine: line, bad: 0, entries: [{ plate: '7ABC123', region: 'CA', reason: 'Stolen' }] },
      JSON.stringify(content),
    )
})

t.test('what a spreadsheet made of a plate is refused, by line', async (t) => {
  for (const cell of [
    '1.00E+10',
    '1E+10',
    '12345.0',
    '5-May',
    '12-May-26',
    'May-12',
    '3/4/2026',
    '2026-05-12',
    '3/4/26',
  ])
    await t.rejects(
      read(`plate,reason\n${cell},x\n`),
      { message: /line 2: .* that a spreadsheet made of a plate/ },
      cell,
    )
  for (const cell of ['7AB*', '7?B123', '7_B123', '7%123', '#N/A', '7AB|CA', '7AB;CA', '"7AB,CA"'])
    await t.rejects(read(`plate,reason\n${cell},x\n`), { message: /line 2: the plate has the character "/ }, cell)
  for (const [cell, plate] of [
    ['"=""0012345"""', '0012345'],
    ["'0012345", '0012345'],
    ['1E10', '1E10'],
    ['5MAY', '5MAY'],
    ['12-MAY', '12MAY'],
    ['AB-12-CD', 'AB12CD'],
  ])
    t.match((await read(`plate,reason\n${cell},x\n`)).entries, [{ plate }], cell!)
})

t.test('a line whose columns do not fit the header is bad', async (t) => {
  const header = 'plate,reason,expires\n'
  await t.rejects(read(`${header}A1,stolen, armed,2026-05-31\n`), {
    message: /line 2: it has 4 columns, the header has 3/,
  })
  await t.rejects(read(`${header}A1,stolen,2099-05-31\nB2,sto`), { message: /line 3: the file ends within the line/ })
  t.match(await read(`${header}A1,stolen\nB2,stolen,2099-05-31`), { lines: 2, bad: 0, shortLines: 1 })
})

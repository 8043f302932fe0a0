import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readHotListFile, type HotListFileOptions } from '../../../engine/hotlists/hotlist_file.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-lists-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

let made = 0
const read = (content: string | Buffer, options: Partial<HotListFileOptions> = {}) => {
  const file = join(folder, `${made++}.csv`)
  writeFileSync(file, content)
  return readHotListFile({ file, ...options })
}

t.test('columns are found by common names, by given names, by number and by position', async (t) => {
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

t.test('bad lines are named by number; a file with too many is refused', async (t) => {
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

t.test('a file that is not a list is refused with the reason', async (t) => {
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

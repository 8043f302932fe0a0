import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { call as run } from '../run.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-match-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const linesOf = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)

t.test('matches in a file of plates are printed as JSON lines, best first', async (t) => {
  const plates = file('plates.txt', '7abc-123\n7A8C123\n8XYZ99\n7ABC123\nКАА777\n')
  const { code, stdout } = await run(['match', '7?B*', '--plates', plates])
  t.equal(code, 0)
  t.match(linesOf(stdout), [
    { plate: '7ABC123', count: 2, tolerated: [] },
    { plate: '7A8C123', count: 1, tolerated: [{ kind: 'look-alike', position: 2, read: '8', wanted: 'B' }] },
  ])
  t.equal(linesOf((await run(['match', '7?B*', '--plates', plates, '--no-look-alikes'])).stdout).length, 1)
  t.match(linesOf((await run(['match', 'KA?777~1', '--plates', plates])).stdout), [{ plate: 'KAA777' }])
})

t.test('a CSV file gives regions, counts and times', async (t) => {
  const plates = file(
    'plates.csv',
    [
      'plate,region,count,first,last',
      '7ABC123,US-CA,3,2026-05-01T08:10:00Z,2026-06-01T09:00:00Z',
      '7ABC123,us-nv,,2026-05-01T08:00:00Z,',
      '',
    ].join('\n'),
  )
  const found = linesOf((await run(['match', '7*@us-ca', '--plates', plates])).stdout)
  t.match(found, [
    {
      plate: '7ABC123',
      region: 'US-CA',
      count: 3,
      firstSeen: '2026-05-01T08:00:00.000Z',
      lastSeen: '2026-06-01T09:00:00.000Z',
    },
  ])
  t.equal(found.length, 1)
})

t.test('an invalid pattern and an invalid file are reported', async (t) => {
  const plates = file('some.txt', '7ABC123\n')
  const bad = await run(['match', '7[8', '--plates', plates])
  t.equal(bad.code, 1)
  t.match(bad.stderr, /ALPR_ERR_PATTERN_INVALID: the pattern is invalid at character 2/)
  t.match((await run(['match', '', '--plates', plates])).stderr, /ALPR_ERR_PATTERN_EMPTY/)
  t.match(
    (await run(['match', '7?', '--plates', join(folder, 'none')])).stderr,
    /ALPR_ERR_PLATES_FILE_INVALID: .*the file does not exist/,
  )
  t.match(
    (await run(['match', '7?', '--plates', file('bad.csv', 'plate,count\n7ABC123,many\n')])).stderr,
    /line 2: count "many"/,
  )
})

t.test('a list is read by the columns that an import takes; no line is glued into a plate', async (t) => {
  const found = async (text: string) => {
    const { code, stdout, stderr } = await run(['match', '7ABC*', '--plates', file('list.csv', text)])
    return code === 0 ? linesOf(stdout).map(({ plate, region }) => [plate, region]) : stderr
  }
  t.same(await found('plate,state,reason\n7ABC123,CA,stolen\n'), [['7ABC123', 'CA']])
  t.same(await found('Category;PlateState;PlateNumber\nStolen;CA;7ABC123\n'), [['7ABC123', 'CA']])
  t.same(await found('Hot list of today\n\nstate,License Plate\nCA,7ABC123\n'), [['7ABC123', 'CA']])
  t.same(await found('License Plate\n7ABC123\n'), [['7ABC123', '']])
  t.match(await found('7ABC123,CA\n'), /PLATES_FILE_INVALID: .*it has columns, but no header line/)
  t.match(await found('7ABC123\n7ABC124,CA\n'), /line 2 is not one plate; a file with columns needs a header line/)
  t.match(await found('7ABC123\n7ABC124\tCA\n'), /line 2 is not one plate/)
  t.match(await found('plate,state\n7ABC*,CA\n'), /line 2: the plate has the character/)
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { call as run } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-usage-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

t.test('wrong usage gives exit code 2 and one line with the reason', async (t) => {
  const cases: [string[], RegExp][] = [
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['up', '--fast'], /unknown option '--fast'/],
    [['replay'], /missing required argument 'file'/],
    [['replay', 'x.mcap', '--speed', 'slow'], /'slow' is invalid/],
    [['replay', 'x.mcap', '--loop', '0'], /whole number from 1/],
    [['record'], /'--out <file>' not specified/],
    [['record', '--out', 'x', '--max-size', 'big'], /a size such as/],
    [['import', folder, '--out', 'x', '--start', 'noon'], /a time with a zone/],
    [
      ['import', folder, '--out', join(folder, 'x.mcap'), '--start', '2026-05-01T08:00:00Z'],
      /--start for pictures requires --fps/,
    ],
    [['camera', 'add', 'No Good'], /a-z, 0-9/],
    [['camera', 'add', 'x', '--lat', '91'], /from -90 to 90/],
    [['camera', 'fly'], /unknown command/],
    [['hotlist', 'import', 'x.csv'], /'--list <id>' not specified/],
    [['hotlist', 'import', 'x.csv', '--list', 'x', '--fixed', 'plate=9-1'], /not a column/],
    [['match', '7?B'], /'--plates <file>' not specified/],
    [['match', '7?B', '--plates', 'x', '--limit', '0'], /whole number from 1/],
    [['partial', 'add', '7?B*', '--case', '1'], /'--reason <text>' not specified/],
    [['dead', 'show', 'first'], /whole number/],
    [['doctor', '--for', 'fun'], /one of start, test/],
    [['recognize'], /missing required argument/],
  ]
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await run(args)
    const name = args.join(' ')
    t.equal(code, 2, name)
    t.match(stderr, expected, name)
    t.match(stderr, /^platestream: [^\n]+\n$/, `${name}: one line`)
    t.equal(stdout, '', name)
  }
})

t.test('a failure gives exit code 1 and one line with code and message, or JSON', async (t) => {
  const none = ['--data', join(folder, 'none')]
  const failed = await run(['camera', 'list', ...none])
  t.equal(failed.code, 1)
  t.match(failed.stderr, /^platestream: ALPR_ERR_NATS_UNAVAILABLE: .*platestream up.*\n$/)
  const asJson = await run(['camera', 'list', '--json', ...none])
  t.equal(asJson.code, 1)
  t.match(JSON.parse(asJson.stdout), { error: { code: 'ALPR_ERR_NATS_UNAVAILABLE' } })
  const bad = join(folder, 'bad.json')
  writeFileSync(bad, '{"engine":{"wrokers":2}}')
  t.match(
    (await run(['camera', 'list', '--config', bad])).stderr,
    /ALPR_ERR_SETTINGS_INVALID: setting engine\.wrokers: there is no such setting/,
  )
  writeFileSync(bad, 'not a feed')
  t.match(
    (await run(['replay', bad, ...none])).stderr,
    /ALPR_ERR_FEED_INVALID: .*not an MCAP file/,
    'an invalid file is reported before a missing server',
  )
})

t.test('every command has help, with examples where there are choices', async (t) => {
  const all = await run(['--help'])
  t.equal(all.code, 0)
  const names = [
    'up',
    'store',
    'engine',
    'gateway',
    'recognize',
    'import',
    'replay',
    'record',
    'camera',
    'hotlist',
    'dead',
    'doctor',
  ]
  for (const name of names) t.match(all.stdout, new RegExp(`^  ${name}`, 'm'))
  for (const name of [...names, 'camera add', 'hotlist import', 'dead redrive']) {
    const { code, stdout } = await run([...name.split(' '), '--help'])
    t.equal(code, 0, name)
    t.match(stdout, new RegExp(`Usage: platestream ${name}`))
    if (!['camera', 'hotlist', 'dead'].includes(name)) t.match(stdout, /Examples:\n {2}/, name)
    t.notMatch(stdout, '--with-parent', name)
  }
  t.equal((await run([])).code, 2)
  t.match((await run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
})

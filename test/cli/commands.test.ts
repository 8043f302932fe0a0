import type { ChildProcess } from 'node:child_process'
import { headers } from 'nats'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { sleep } from '../../engine/runtime/mod.js'
import type { JetStreamManager } from 'nats'
import { startTestNats } from '../servers/nats.js'
import { until } from '../until.js'
import { call, json, jsonLines, run } from './run.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-commands-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const system = async (t: Parameters<typeof startTestNats>[0]) => {
  const nats = await startTestNats(t)
  const env = { NATS_URL: nats.url, PLATESTREAM_NATS_TOKEN: nats.token, PLATESTREAM_DATA_FOLDER: join(folder, 'data') }
  return { nats, env, cli: (...args: string[]) => call(args, env) }
}

t.test('camera adds, replaces, lists, shows and removes cameras', async (t) => {
  const { cli } = await system(t)
  t.match(
    await cli(
      'camera',
      'add',
      'gate-1',
      '--name',
      'North gate',
      '--lat',
      '37.77',
      '--lon',
      '-122.42',
      '--heading',
      '90',
    ),
    { code: 0, stdout: /gate-1 is registered/ },
  )
  t.match(await cli('camera', 'add', 'gate-1', '--lat', '1', '--lon', '1'), {
    code: 1,
    stderr: /already registered; --replace/,
  })
  t.match(await cli('camera', 'add', 'gate-2'), {
    code: 1,
    stderr: /ALPR_ERR_CAMERA_INVALID: camera gate-2: lat and lon are needed for a fixed camera/,
  })
  t.match(await cli('camera', 'add', 'car-7', '--kind', 'mobile', '--json'), { code: 0 })
  t.same(
    jsonLines(await cli('camera', 'list', '--json')).map((c) => c.id),
    ['car-7', 'gate-1'],
  )
  t.match(await cli('camera', 'list'), { stdout: /gate-1 +fixed +37\.77,-122\.42 +90 +North gate/ })
  t.match(json(await cli('camera', 'show', 'gate-1', '--json')), { id: 'gate-1', heading: 90 })
  t.match(await cli('camera', 'remove', 'gate-1'), { code: 0 })
  t.match(await cli('camera', 'show', 'gate-1'), { code: 1, stderr: /ALPR_ERR_CAMERA_UNKNOWN/ })
  t.match(await cli('camera', 'remove', 'gate-1'), { code: 1, stderr: /ALPR_ERR_CAMERA_UNKNOWN/ })
})

t.test('hotlist imports, changes, lists and removes hot lists', async (t) => {
  const { cli } = await system(t)
  const file = join(folder, 'list.csv')
  writeFileSync(file, 'Plate,Reason\n7ABC123,stolen\n7abc-123,owner wanted\nBAD?,x\n')
  t.match(await cli('hotlist', 'import', file, '--list', 'stolen'), {
    code: 1,
    stderr: /^platestream: ALPR_ERR_HOTLIST_INVALID: .*line 4: the plate has the character "\?"\n$/,
  })
  t.match(
    json(await cli('hotlist', 'import', file, '--list', 'stolen', '--skip-bad', '--priority', 'high', '--json')),
    {
      id: 'stolen',
      entries: 1,
      merged: 1,
      bad: 1,
      badLines: [{ line: 4 }],
      priority: 'high',
      version: /^[0-9a-f]{16}$/,
    },
  )
  t.match(await cli('hotlist', 'list'), { stdout: /stolen +1 +hot +high/ })
  t.match(json(await cli('hotlist', 'set', 'stolen', '--tolerance', 'exact', '--json')), {
    id: 'stolen',
    tolerance: 'exact',
    threshold: 0.5,
    entries: 1,
  })
  t.match(await cli('hotlist', 'set', 'stolen', '--tolerance', 'tolerant', '--threshold', '0.1'), {
    stdout: /tolerant, threshold 0\.1/,
  })
  t.match(await cli('hotlist', 'set', 'stolen'), { code: 2, stderr: /give --tolerance/ })
  t.match(await cli('hotlist', 'set', 'nolist', '--threshold', '0.1'), { code: 1, stderr: /ALPR_ERR_HOTLIST_UNKNOWN/ })
  t.match(await cli('hotlist', 'preview', 'nolist'), { code: 1, stderr: /ALPR_ERR_HOTLIST_UNKNOWN/ })
  t.match(await cli('hotlist', 'remove', 'stolen'), { code: 0 })
  t.match(await cli('hotlist', 'remove', 'stolen'), { code: 1, stderr: /ALPR_ERR_HOTLIST_UNKNOWN/ })
})

t.test('an import says what it took and changed, and refuses an empty or much smaller list', async (t) => {
  const { cli } = await system(t)
  const file = join(folder, 'nightly.csv')
  const importing = (text: string, ...more: string[]) => {
    writeFileSync(file, text)
    return cli('hotlist', 'import', file, '--list', 'stolen', '--zone', 'America/Los_Angeles', ...more)
  }
  const header = 'Category;PlateState;PlateNumber;EffectiveDate;ExpiryDate;Officer\n'
  const lines = Array.from({ length: 10 }, (_, i) => `Stolen;CA;7ABC12${i};2026-01-01;2026-05-31;x\n`)
  const whole = header + lines.join('') + 'Wanted;NV;8XYZ987;2026-01-01;2099-12-31;x\n'.repeat(2)
  const first = await importing(whole, '--priority', 'high')
  t.match(first, { code: 0, stdout: /11 plates.*1 merged; 10 have ended and make no hits/ })
  for (const line of [
    'columns: reason = "Category", region = "PlateState", plate = "PlateNumber", ' +
      'from = "EffectiveDate", until = "ExpiryDate"',
    'columns left out: "Officer"',
    'days begin and end in the zone America/Los_Angeles',
  ])
    t.ok(first.stderr.includes(`${line}\n`), line)

  const open = whole.replaceAll('2026-05-31', '2099-05-31')
  t.match(json(await importing(open, '--json')), {
    priority: 'high',
    change: { before: 11, after: 11, added: 0, removed: 0, changed: 10 },
  })
  const half = open.split('\n').slice(0, 6).join('\n')
  for (const [text, reason] of [
    [header, /the file has no plate; the list in force has 11/],
    [`${half}\n`, /would shrink from 11 to 5 plates, by 55 %/],
    [whole, /would shrink from 11 to 1 plates/],
  ] as const)
    t.match(await importing(text), { code: 1, stderr: reason })
  t.match(await importing(`${header};;#N/A;;;\n;;?;;;\n`, '--skip-bad'), { code: 1, stderr: /all 2 lines are invalid/ })
  t.match(json(await importing(open, '--dry-run', '--json')), { dryRun: true, change: { added: 0, removed: 0 } })
  t.match(jsonLines(await cli('hotlist', 'list', '--json')), [{ id: 'stolen', entries: 11, priority: 'high' }])
  t.match(await importing(`${half}\n`, '--dry-run'), { code: 1, stderr: /ALPR_ERR_HOTLIST_SHRINKS/ })
  t.match(await importing(`${half}\n`, '--accept'), { code: 0, stdout: /5 plates.*0 added, 6 removed, 0 changed/ })
  t.match(await importing(header, '--accept'), { code: 0, stdout: /0 plates/ })
  t.match(await importing(open, '--zone', 'Nowhere'), {
    code: 1,
    stderr: /setting agency.zone: "Nowhere" is not a time/,
  })
})

t.test('a feed that is imported, replayed and recorded keeps its frames and its camera', async (t) => {
  const { cli, env } = await system(t)
  const pictures = mkdtempSync(join(folder, 'pictures-'))
  for (let i = 0; i < 12; i++)
    writeFileSync(
      join(pictures, `${i}.jpg`),
      await sharp({ create: { width: 64, height: 48, channels: 3, background: { r: i * 20, g: 0, b: 0 } } })
        .jpeg()
        .toBuffer(),
    )
  const truth = join(folder, 'truth.jsonl')
  writeFileSync(truth, '{}\n')
  const feed = join(folder, 'feed.mcap')
  const importing = [
    'import',
    pictures,
    '--out',
    feed,
    '--camera',
    'gate-9',
    '--lat',
    '1',
    '--lon',
    '2',
    '--start',
    '2026-05-01T08:00:00Z',
    '--fps',
    '10',
    '--attach',
    truth,
  ]
  t.match(json(await cli(...importing, '--json')), { frames: 12, cameras: ['gate-9'], out: feed })
  t.match(await cli(...importing), { code: 1, stderr: /already exists; --force/ })
  t.notOk(existsSync(`${feed}.part`))
  t.match(await cli('import', join(folder, 'no-video.mp4'), '--out', join(folder, 'v.mcap'), '--camera', 'v'), {
    code: 1,
    stderr: /ffmpeg gets no frame out of it/,
  })
  t.notOk(existsSync(join(folder, 'v.mcap.part')), 'a failed import leaves nothing')

  const recorded = join(folder, 'recorded.mcap')
  const recording = run(['record', '--out', recorded, '--frames', '12', '--json'], { env })
  await until(() => existsSync(recorded))
  // record subscribes just after it creates the file; NATS offers no condition to wait for.
  await sleep(500)
  t.match(json(await cli('replay', feed, '--speed', 'max', '--json')), {
    published: 12,
    registered: 1,
    interrupted: false,
  })
  t.match(json(await recording), { frames: 12, cameras: 1, files: [recorded] })
  t.match((await recording).stderr, /^access: recording by cli \S+, purpose not stated: /m, 'an access is announced')
  t.match(jsonLines(await cli('camera', 'list', '--json')), [{ id: 'gate-9', lat: 1, lon: 2 }])
  t.match(await cli('replay', recorded, '--speed', 'max'), { code: 0, stdout: /^12 frames \(/ })
})

t.test('Ctrl-C ends a recording and a replay cleanly', async (t) => {
  const { nats, env } = await system(t)
  const out = join(folder, 'cut.mcap')
  const interruptWhen = (condition: () => Promise<boolean> | boolean) => async (child: ChildProcess) => {
    await until(condition)
    child.kill('SIGINT')
  }
  const recording = await run(['record', '--out', out, '--json'], {
    env,
    onStart: interruptWhen(() => existsSync(out)),
  })
  t.match(json(recording), { frames: 0, files: [out] })
  const manager = await (await nats.connect()).jetstreamManager()
  const replaying = await run(['replay', join(folder, 'feed.mcap'), '--rate', '0.5', '--json'], {
    env,
    onStart: interruptWhen(async () => (await framesOn(manager)) > 0),
  })
  t.equal(replaying.code, 0)
  const summary = json(replaying)
  t.ok(
    summary.interrupted && summary.frames > 0 && summary.frames < 12 && summary.published === summary.frames,
    replaying.stdout,
  )
})

t.test('dead lists, shows, redrives and drops dead letters', async (t) => {
  const { nats, cli } = await system(t)
  const js = (await nats.connect()).jetstream()
  for (let i = 1; i <= 3; i++) {
    const h = headers()
    h.set('Dead-Reason', 'ALPR_ERR_CAMERA_UNKNOWN')
    h.set('Dead-Sequence', String(i))
    await js.publish('dead.cam', Buffer.from(`payload ${i}`), { headers: h })
  }
  t.same(
    jsonLines(await cli('dead', 'list', '--json')).map((d) => d.seq),
    [1, 2, 3],
  )
  t.match(await cli('dead', 'list', '--limit', '2'), { stdout: /the first 2; continue with --from 3/ })
  const out = join(folder, 'payload')
  const shown = await cli('dead', 'show', '2', '--json', '--out', out, '--purpose', 'test CR-1')
  t.match(json(shown), { seq: 2, reason: 'ALPR_ERR_CAMERA_UNKNOWN' })
  t.match(shown.stderr, /^access: dead letter by cli \S+, purpose test CR-1: \{"seq":2\}$/m)
  t.match((await cli('partial', 'list')).stderr, /^access: partials by cli /m)
  t.notMatch((await cli('dead', 'list')).stderr, /access:/, 'a list without payloads is no access')
  t.equal(readFileSync(out, 'utf8'), 'payload 2')
  t.match(await cli('dead', 'redrive'), { code: 2, stderr: /--all/ })
  t.match(json(await cli('dead', 'redrive', '1', '--json')), { redriven: 1 })
  t.equal(statSync(out).mode & 0o777, 0o600, 'what may show plates is for its owner')
  t.match(await cli('dead', 'drop', '--all'), { code: 2, stderr: /add --yes to allow it/ })
  t.match(json(await cli('dead', 'drop', '--all', '--yes', '--camera', 'other', '--json')), { dropped: 0 })
  t.match(json(await cli('dead', 'drop', '--all', '--yes', '--json')), { dropped: 2 })
  const week = ['store', 'purge', '--week', '2025-11-17']
  t.match(await cli(...week, '--proofs'), { code: 2, stderr: /--proofs only shows: give one of them/ })
  t.match(await cli(...week), { code: 2, stderr: /would delete the reads of the week 2025\S* .*add --yes/ })
  t.match(await cli('dead', 'list'), { stdout: 'none\n' })
  t.match(await cli('dead', 'show', '2'), { code: 1, stderr: /ALPR_ERR_NOT_FOUND/ })
})

/** Frames on the streams of all partitions. */
async function framesOn(manager: JetStreamManager): Promise<number> {
  let messages = 0
  for await (const { config, state } of manager.streams.list())
    if (config.name.startsWith('FRAMES-')) messages += state.messages
  return messages
}

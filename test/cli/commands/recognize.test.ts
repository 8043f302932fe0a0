import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { jsonLines, run } from '../run.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-recognize-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const blank = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#777777' } })

t.test('each file gives one JSON line in order, and unreadable files do not stop the others', async (t) => {
  const file = (name: string) => join(folder, name)
  writeFileSync(file('a.jpg'), await blank(640, 480).jpeg().toBuffer())
  writeFileSync(file('b.png'), await blank(320, 200).png().toBuffer())
  writeFileSync(file('text.jpg'), 'this is not a picture')
  writeFileSync(file('cut.jpg'), (await blank(640, 480).jpeg().toBuffer()).subarray(0, 700))
  writeFileSync(file('tiny.jpg'), await blank(1, 1).jpeg().toBuffer())
  writeFileSync(file('empty.jpg'), '')
  mkdirSync(file('folder.jpg'))
  const files = [
    'a.jpg',
    'text.jpg',
    'b.png',
    'cut.jpg',
    'tiny.jpg',
    'empty.jpg',
    'folder.jpg',
    'missing.jpg',
    'a.jpg',
  ].map(file)
  const outcome = await run(['recognize', '--json', ...files])
  t.equal(outcome.code, 1)
  const lines = jsonLines(outcome)
  t.same(
    lines.map((line) => line.file),
    files,
  )
  t.same(
    lines.map((line) => 'error' in line),
    [false, true, false, true, true, true, true, true, false],
  )
  t.same(Object.keys(lines[0]), ['file', 'width', 'height', 'ms', 'detections'])
  t.match(lines[0], { width: 640, height: 480, ms: { decode: Number, recognize: Number }, detections: [] })
  t.match(lines[2], { width: 320, height: 200 })
  for (const { error } of lines.filter((line) => 'error' in line)) t.match(error, { code: /^ALPR_ERR_/, message: /./ })
  t.match(lines[7].error, { code: 'ALPR_ERR_IMAGE_UNREADABLE', message: /the file does not exist/ })
  t.equal(outcome.stderr, '')
})

t.test('readable files give exit code 0 and a line for people', async (t) => {
  t.match(await run(['recognize', join(folder, 'a.jpg')]), {
    code: 0,
    stdout: /a\.jpg {2}640x480 {2}\d+ ms {2}no plate\n/,
  })
})

t.test('a name with control characters does not reach the terminal as it is; - is standard input', async (t) => {
  const name = join(folder, 'a\u001b[31m\nb.jpg')
  writeFileSync(name, await blank(320, 200).jpeg().toBuffer())
  const { stdout } = await run(['recognize', name])
  t.match(stdout, /a\\u001b\[31m\\nb\.jpg {2}320x200/)
  const piped = spawnSync(process.execPath, ['dist/cli/main.js', 'recognize', '--json', '-'], {
    input: await blank(320, 200).jpeg().toBuffer(),
    encoding: 'utf8',
  })
  t.match(JSON.parse(piped.stdout), { file: '-', width: 320, height: 200 })
})

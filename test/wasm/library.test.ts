import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { readFrames } from '../../engine/feeds/mod.js'
import { decodePicture, openRecognizer, PICTURE_LIMITS } from '../../wasm/node.js'

/** The example of docs/recognizer.md, verbatim. */
const example = /```js\n(.*?)```/s.exec(readFileSync('docs/recognizer.md', 'utf8'))![1]!

t.test('the example for Node runs as it is documented', { timeout: 60_000 }, async (t) => {
  // inside the package, so that it can be imported by its name
  const folder = mkdtempSync(join('dist', 'example-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'example.mjs'), example)
  const recognizer = await openRecognizer({ warmUps: 0 })
  const file = join(folder, 'car.jpg')
  for await (const { jpeg } of readFrames('bench/feeds/sample.mcap')) {
    const { width, height } = await decodePicture(jpeg, recognizer)
    const [best] = recognizer.recognize(width, height)
    if (!best) continue
    writeFileSync(file, jpeg)
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(folder, 'example.mjs'), file])
    t.equal(stderr, '')
    t.ok(stdout.startsWith(`${file} ${best.plate} ${best.confidence.toFixed(3)} `), stdout)
    break
  }
})

t.test('browsers and Node export the same names', async (t) => {
  const names = (file: string) =>
    [...readFileSync(file, 'utf8').matchAll(/^export .*$/gm)]
      .map(([line]) => line.replace(/_(node|browser)\.js/, '.js'))
      .sort()
  t.same(names('wasm/browser.ts'), names('wasm/node.ts'))
  t.same(Object.keys(PICTURE_LIMITS), ['leastSide', 'mostSide', 'mostPixels', 'mostBytes', 'mostDecoding'])
})

t.test('files can be given, and a missing one is an error', async (t) => {
  const recognizer = await openRecognizer({
    module: new URL('../../wasm/recognizer.wasm', import.meta.url),
    model: readFileSync('dist/wasm/platestream.psm'),
    warmUps: 0,
  })
  t.match(recognizer.modelId, /^[0-9a-f]{16}$/)
  await t.rejects(openRecognizer({ model: 'no/such/file.psm' }), { code: 'ENOENT' })
})

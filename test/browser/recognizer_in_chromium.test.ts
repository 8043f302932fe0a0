import { build } from 'esbuild'
import { readFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import t from 'tap'
import { readFrames } from '../../engine/feeds/mod.js'
import { loadWasmFile, Recognizer } from '../../wasm/internal_mod.js'
import { decodePicture, openRecognizer, type Detection } from '../../wasm/node.js'
import { bytesExpression, noBrowser, openBrowser } from './chromium.js'

const WIDTH = 640
const HEIGHT = 360

/** Draws a picture of steps, stripes and noise: the same on both sides, from a small generator. */
function draw(luma: Uint8Array, width: number): void {
  let state = 12345
  for (let i = 0; i < luma.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    const x = i % width
    const y = Math.floor(i / width)
    const bar = x > 250 && x < 400 && y > 150 && y < 210 ? (x % 22 < 7 && y > 162 && y < 198 ? 20 : 230) : 90
    luma[i] = bar + ((state >> 16) & 15)
  }
}

/** A detection as structured data that survives the way out of the page. */
function plain(detection: Detection) {
  return { ...detection, positions: detection.positions.map((p) => [...p]) }
}

t.test('Chromium reads a picture like Node, bit for bit', { skip: noBrowser, timeout: 120_000 }, async (t) => {
  const wasm = await loadWasmFile('recognizer.wasm')
  const model = await loadWasmFile('platestream.psm')
  const cascade = { coarseFloor: 0.001, fineFloor: 0.001, readFloor: 0, candidates: 6 }
  const node = await Recognizer.create(wasm, model, { cascade, warmUps: 0 })
  draw(node.lumaBuffer(WIDTH, HEIGHT), WIDTH)
  const expected = node.recognize(WIDTH, HEIGHT).map(plain)
  t.ok(expected.length > 0, `${expected.length} detections to compare`)

  const { outputFiles } = await build({
    entryPoints: ['wasm/mod.ts'],
    bundle: true,
    format: 'iife',
    globalName: 'platestream',
    write: false,
    logLevel: 'silent',
  })
  const browser = await openBrowser(t)
  const page = await browser.newPage()
  // crypto.subtle needs a secure context: a page on localhost, which this test serves itself.
  await page.route('**/*', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>recognizer</title>' }),
  )
  await page.goto('http://localhost/')
  await page.addScriptTag({ content: outputFiles[0]!.text })
  const result = (await page.evaluate(`(async () => {
    const plain = ${plain.toString()}
    const [wasm, model] = [${bytesExpression(wasm)}, ${bytesExpression(model)}]
    const options = { cascade: ${JSON.stringify(cascade)}, warmUps: 0 }
    const recognizer = await platestream.Recognizer.create(wasm, model, options)
    ;(${draw.toString()})(recognizer.lumaBuffer(${WIDTH}, ${HEIGHT}), ${WIDTH})
    const detections = recognizer.recognize(${WIDTH}, ${HEIGHT}).map(plain)
    return { moduleId: recognizer.moduleId, modelId: recognizer.modelId, detections }
  })()`)) as { moduleId: string; modelId: string; detections: unknown[] }
  t.equal(result.moduleId, node.moduleId)
  t.equal(result.modelId, node.modelId)
  t.same(result.detections, expected)
})

/** Serves `html` at http://localhost/ and the files of the build beside it. */
async function serveLibrary(page: Page, html: string): Promise<void> {
  const types: Record<string, string> = {
    js: 'text/javascript',
    wasm: 'application/wasm',
    psm: 'application/octet-stream',
  }
  await page.route('**/*', (route) => {
    const name = new URL(route.request().url()).pathname.slice(1)
    const type = types[name.split('.').at(-1)!]
    if (name !== '' && !type) return route.fulfill({ status: 404 })
    return name === ''
      ? route.fulfill({ contentType: 'text/html', body: html })
      : route.fulfill({ contentType: type!, body: readFileSync(`dist/wasm/${name}`) })
  })
}

/** Frames of the sample feed, and one of them in every supported file format. */
async function samplePictures(): Promise<Record<string, Buffer>> {
  const all: Record<string, Buffer> = {}
  let index = 0
  for await (const { jpeg } of readFrames('bench/feeds/sample.mcap'))
    if (index++ % 97 === 0) all[`frame ${index - 1}`] = Buffer.from(jpeg)
  const frame = sharp(all['frame 97']!)
  const odd = frame.clone().resize(641, 363, { fit: 'fill' })
  all['4:4:4'] = await frame.clone().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer()
  all.progressive = await frame.clone().jpeg({ progressive: true }).toBuffer()
  all['odd size'] = await odd.clone().jpeg().toBuffer()
  all.grey = await frame.clone().toColourspace('b-w').jpeg().toBuffer()
  all['colour profile'] = await frame.clone().withIccProfile('p3').jpeg().toBuffer()
  for (const orientation of [2, 3, 5, 6, 8])
    all[`orientation ${orientation}`] = await odd.clone().withMetadata({ orientation }).jpeg().toBuffer()
  all.PNG = await odd.clone().png().toBuffer()
  all['PNG, grey'] = await odd.clone().toColourspace('b-w').png().toBuffer()
  all['PNG, palette'] = await odd.clone().png({ palette: true }).toBuffer()
  all['WebP, lossless'] = await odd.clone().webp({ lossless: true }).toBuffer()
  all.WebP = await odd.clone().webp().toBuffer()
  return all
}

t.test(
  'a file gives the same luma and the same detections in Chromium and in Node',
  { skip: noBrowser, timeout: 240_000 },
  async (t) => {
    const node = await openRecognizer({ warmUps: 0 })
    const browser = await openBrowser(t)
    const page = await browser.newPage()
    await serveLibrary(page, '<!doctype html><title>library</title>')
    await page.goto('http://localhost/')
    await page.evaluate(`(async () => {
      globalThis.library = await import('/browser.js')
      globalThis.recognizer = await library.openRecognizer({ warmUps: 0 })
    })()`)
    let plates = 0
    for (const [name, bytes] of Object.entries(await samplePictures())) {
      const size = await decodePicture(bytes, node)
      const digest = await globalThis.crypto.subtle.digest(
        'SHA-256',
        new Uint8Array(node.lumaBuffer(size.width, size.height)),
      )
      const detections = node.recognize(size.width, size.height).map(plain)
      const answer = await page.evaluate(`(async () => {
        const plain = ${plain.toString()}
        const size = await library.decodePicture(${bytesExpression(bytes)}, recognizer)
        const luma = new Uint8Array(recognizer.lumaBuffer(size.width, size.height))
        const digest = await crypto.subtle.digest('SHA-256', luma)
        const detections = recognizer.recognize(size.width, size.height).map(plain)
        return { size, luma: [...new Uint8Array(digest)], detections }
      })()`)
      t.same(answer, { size, luma: [...new Uint8Array(digest)], detections }, name)
      plates += detections.length
    }
    t.ok(plates >= 5, `${plates} plates compared`)
  },
)

t.test('the documented example page works', { skip: noBrowser, timeout: 120_000 }, async (t) => {
  const example = /```html\n(.*?)```/s.exec(readFileSync('docs/recognizer.md', 'utf8'))![1]!
  const browser = await openBrowser(t)
  const page = await browser.newPage()
  await serveLibrary(page, example)
  await page.goto('http://localhost/')
  const frame = (await samplePictures())['frame 97']!
  const node = await openRecognizer({ warmUps: 0 })
  const { width, height } = await decodePicture(frame, node)
  const expected =
    node
      .recognize(width, height)
      .map(({ plate, confidence }) => `${plate} ${confidence.toFixed(3)}`)
      .join('\n') || 'no plate'
  await page.waitForFunction('document.querySelector("input").onchange !== null')
  await page.locator('input').setInputFiles({ name: 'car.jpg', mimeType: 'image/jpeg', buffer: frame })
  await page.waitForFunction('document.querySelector("pre").textContent !== ""')
  t.equal(await page.locator('pre').textContent(), expected)
})

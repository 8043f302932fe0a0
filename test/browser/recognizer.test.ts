import { build } from 'esbuild'
import t from 'tap'
import { loadWasmFile, Recognizer } from '../../wasm/internal_mod.js'
import { noBrowser, openBrowser } from './chromium.js'

const WIDTH = 640
const HEIGHT = 360

/** A picture that both sides draw by themselves: steps, stripes and noise from a small generator. */
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

t.test('Chromium reads a picture as Node does, bit for bit', { skip: noBrowser, timeout: 120_000 }, async (t) => {
  const wasm = await loadWasmFile('recognizer.wasm')
  const model = await loadWasmFile('platestream.psm')
  const cascade = { coarseFloor: 0.001, fineFloor: 0.001, readFloor: 0, candidates: 6 }
  const node = await Recognizer.create(wasm, model, { cascade, warmUps: 0 })
  draw(node.lumaBuffer(WIDTH, HEIGHT), WIDTH)
  const wanted = node.recognize(WIDTH, HEIGHT).map((d) => ({ ...d, positions: d.positions.map((p) => [...p]) }))
  t.ok(wanted.length > 0, `${wanted.length} detections to compare`)

  const { outputFiles } = await build({ entryPoints: ['wasm/mod.ts'], bundle: true, format: 'iife', globalName: 'platestream', write: false, logLevel: 'silent' })
  const browser = await openBrowser(t)
  const page = await browser.newPage()
  // crypto.subtle wants a secure context: a page of localhost that is answered here
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>recognizer</title>' }))
  await page.goto('http://localhost/')
  await page.addScriptTag({ content: outputFiles[0]!.text })
  const result = await page.evaluate(`(async () => {
    const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
    const recognizer = await platestream.Recognizer.create(bytes(${JSON.stringify(Buffer.from(wasm).toString('base64'))}),
      bytes(${JSON.stringify(Buffer.from(model).toString('base64'))}), { cascade: ${JSON.stringify(cascade)}, warmUps: 0 })
    ;(${draw.toString()})(recognizer.lumaBuffer(${WIDTH}, ${HEIGHT}), ${WIDTH})
    return { moduleId: recognizer.moduleId, modelId: recognizer.modelId,
      detections: recognizer.recognize(${WIDTH}, ${HEIGHT}).map((d) => ({ ...d, positions: d.positions.map((p) => [...p]) })) }
  })()`) as { moduleId: string; modelId: string; detections: unknown[] }
  t.equal(result.moduleId, node.moduleId)
  t.equal(result.modelId, node.modelId)
  t.same(result.detections, wanted)
})

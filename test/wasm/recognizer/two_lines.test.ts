import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decodeJpeg } from '../../../engine/mod.js'
import { loadWasmFile, Recognizer } from '../../../wasm/internal_mod.js'

/** Rendered by wasm/train/data/make_fixtures.py: one plate of two lines each, on an empty background. */
const FOLDER = 'test/fixtures/two_line'

t.test('motorcycle and square plates are read with the upper line first', async (t) => {
  const truth = JSON.parse(readFileSync(join(FOLDER, 'truth.json'), 'utf8')) as { file: string; plate: string }[]
  const recognizer = await Recognizer.create(
    await loadWasmFile('recognizer.wasm'),
    await loadWasmFile('platestream.psm'),
    { warmUps: 0 },
  )
  const read = truth.map(({ file, plate }) => {
    const { width, height } = decodeJpeg(new Uint8Array(readFileSync(join(FOLDER, file))), recognizer)
    return { plate, texts: recognizer.recognize(width, height).map((d) => d.plate) }
  })
  const right = read.filter(({ plate, texts }) => texts.includes(plate))
  for (const { plate, texts } of read)
    if (!texts.includes(plate)) t.comment(`${plate}: ${texts.join(', ') || 'nothing read'}`)
  // A bound that catches regressions; the model card has the figures of real two-line plates.
  t.ok(right.length >= 0.5 * truth.length, `${right.length} of ${truth.length} are read exactly`)
})

import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { CLASSES, recognizerLayout as layout } from '../../wasm/internal_mod.js'

t.test('the layout files on both sides of each module are those of the tables', async (t) => {
  const generator = pathToFileURL('wasm/layout/generate.mjs').href
  const { layoutFiles } = (await import(generator)) as { layoutFiles(): Record<string, string> }
  const files = Object.entries(layoutFiles())
  t.equal(files.length, 4)
  for (const [path, text] of files)
    t.equal(readFileSync(path, 'utf8'), text, `${path} (node wasm/layout/generate.mjs writes it)`)
})

t.test('records and alternates fit their drawing', async (t) => {
  t.ok(layout.RECORD_ALTERNATES + layout.MAX_ALTERNATES * layout.ALTERNATE_BYTES <= layout.RECORD_POSITIONS)
  t.ok(layout.RECORD_POSITIONS + layout.MAX_TEXT * CLASSES * 4 <= layout.RECORD_BYTES)
  t.ok(37n ** BigInt(layout.MAX_TEXT) < 2n ** 64n)
})

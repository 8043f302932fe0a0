import { readFileSync } from 'node:fs'
import t from 'tap'
import { matcherLayout, record } from '../../wasm/internal_mod.js'

/** Every `export const NAME: type = number` of an AssemblyScript source. */
function constantsOf(file: string): Map<string, number> {
  const text = readFileSync(file, 'utf8')
  return new Map(
    [...text.matchAll(/^(?:export )?const (\w+): \w+ = (-?[\d.]+)$/gm)].map(([, name, value]) => [
      name!,
      Number(value),
    ]),
  )
}

t.test('the host reads records where the module writes them', (t) => {
  const layout = constantsOf('wasm/assembly/recognizer/layout.ts')
  for (const [name, value] of Object.entries(record)) {
    if (typeof value === 'number') t.equal(value, layout.get(name), name)
  }
  t.end()
})

t.test("the matcher's host knows its layout", (t) => {
  const layout = new Map(
    ['layout', 'workspace', 'stage', 'sort'].flatMap((file) => [...constantsOf(`wasm/assembly/matcher/${file}.ts`)]),
  )
  for (const [name, value] of Object.entries(matcherLayout)) t.equal(value, layout.get(name), name)
  t.end()
})

t.test('records and alternates fit their drawing', (t) => {
  const layout = constantsOf('wasm/assembly/recognizer/layout.ts')
  const at = (name: string) => layout.get(name)!
  t.ok(at('RECORD_ALTERNATES') + at('MAX_ALTERNATES') * at('ALTERNATE_BYTES') <= at('RECORD_POSITIONS'))
  t.ok(at('RECORD_POSITIONS') + at('MAX_TEXT') * at('CLASSES') * 4 <= at('RECORD_BYTES'))
  t.ok(37n ** BigInt(at('MAX_TEXT')) < 2n ** 64n)
  t.end()
})

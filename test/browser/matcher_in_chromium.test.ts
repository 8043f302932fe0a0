import { readFile } from 'node:fs/promises'
import { build } from 'esbuild'
import t from 'tap'
import { loadMatcher, loadWasmFile, wasmPath } from '../../wasm/internal_mod.js'
import { Dictionary, PlateBuilder } from '../../wasm/mod.js'
import { bytesExpression, noBrowser, openBrowser } from './chromium.js'

const PATTERNS = ['7?B*', '*8BC*~1', '[8B]??1*', 'AB&12', '7ABC123~2', '*']

/** Plates that both sides generate themselves: the same on both. */
function makePlates(): string[] {
  let state = 99
  const next = (end: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >> 8) % end
  }
  return Array.from({ length: 20_000 }, () =>
    Array.from({ length: 5 + next(4) }, () => '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'[next(36)]).join(''),
  )
}

t.test(
  'Chromium finds the same plates as Node, in a dictionary and on a hot list',
  { skip: noBrowser, timeout: 120_000 },
  async (t) => {
    const matcher = await loadMatcher()
    const builder = new PlateBuilder(matcher.module)
    await builder.addLines(new TextEncoder().encode(`${makePlates().join('\n')}\n`), 500_000)
    const dictionary = Dictionary.of(matcher.module, await builder.build(), matcher.confusions)
    const expected = []
    for (const pattern of PATTERNS)
      for await (const page of dictionary.search(pattern, { limit: 50 }))
        if (page.done) expected.push([page.matched, page.matches])
    const read = Array.from({ length: 7 }, (_, i) =>
      Array.from({ length: 37 }, (_, c) => (c === (i * 5) % 36 ? 0.82 : 0.005)),
    )
    const listed = makePlates().slice(0, 5_000).concat('05AFKPU', '05AFKPV', '5AFKPU')
    expected.push(
      matcher.match(
        read.map((p) => Float32Array.from(p)),
        await matcher.compileList(listed),
        0.001,
      ),
    )

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
    await page.route('**/*', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>matcher</title>' }),
    )
    await page.goto('http://localhost/')
    await page.addScriptTag({ content: outputFiles[0]!.text })
    const result = (await page.evaluate(`(async () => {
      const { Matcher, ConfusionModel, PlateSyntax, PlateBuilder, Dictionary } = platestream
      const confusions = ConfusionModel.of(${await readFile(wasmPath('confusions.json'), 'utf8')})
      const syntax = PlateSyntax.of(${await readFile(wasmPath('plate_syntax.json'), 'utf8')})
      const matcher = await Matcher.create(${bytesExpression(await loadWasmFile('matcher.wasm'))}, confusions, syntax)
      const makePlates = ${makePlates.toString()}
      const builder = new PlateBuilder(matcher.module)
      await builder.addLines(new TextEncoder().encode(makePlates().join('\\n') + '\\n'), 500000)
      const dictionary = Dictionary.of(matcher.module, await builder.build(), matcher.confusions)
      const found = []
      for (const pattern of ${JSON.stringify(PATTERNS)})
        for await (const page of dictionary.search(pattern, { limit: 50 }))
          if (page.done) found.push([page.matched, page.matches])
      const list = await matcher.compileList(${JSON.stringify(listed)})
      found.push(matcher.match(${JSON.stringify(read)}.map((p) => Float32Array.from(p)), list, 0.001))
      return { found, moduleId: matcher.moduleId }
    })()`)) as { found: unknown[]; moduleId: string }
    t.equal(result.moduleId, matcher.moduleId)
    t.same(result.found, expected)
    t.ok((expected.at(-1) as unknown[]).length > 0)
  },
)

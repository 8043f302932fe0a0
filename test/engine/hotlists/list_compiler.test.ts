import t from 'tap'
import { entryLines } from '../../../engine/hotlists/hotlist_entries.js'
import { ListCompiler } from '../../../engine/hotlists/list_compiler.js'
import { contentVersion } from '../../../engine/runtime/content_version.js'
import { loadMatcher } from '../../../wasm/load_node.js'
import { Random } from '../../wasm/random.js'
import { readOf } from '../../wasm/reads.js'

const matcher = await loadMatcher()
const textOf = (plates: string[]) =>
  new Uint8Array(Buffer.from([...entryLines(plates.map((plate) => ({ plate, reason: 'x' })))].join('')))
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text))
const compiler = new ListCompiler(matcher)
t.teardown(() => compiler.close())

t.test('a list compiled on the thread matches like one compiled here', async (t) => {
  const random = new Random(5)
  const plates = [...new Set(Array.from({ length: 3_000 }, () => `7${random.whole(0, 99_999)}AB`))].sort()
  const text = textOf(plates)
  const { entries, compiled } = await compiler.compile(text, contentVersion([text]))
  const here = await matcher.compileList(plates)
  t.equal(entries.length, plates.length)
  for (const plate of plates.slice(0, 50)) {
    const read = readOf(random, plate, 0.9)
    t.same(matcher.match(read, compiled, 0.01), matcher.match(read, here, 0.01), plate)
  }
})

t.test('content that is not what it should be is refused with the reason, and the thread goes on', async (t) => {
  const text = textOf(['A1'])
  await t.rejects(compiler.compile(text, '0'.repeat(16)), {
    message: /its content has version \w+, the record says 0+/,
  })
  const lines = bytesOf('no JSON\n')
  await t.rejects(compiler.compile(lines, contentVersion([lines])), {
    message: /line 1 of its content is not an entry/,
  })
  const empty = bytesOf('')
  const { entries } = await compiler.compile(empty, contentVersion([empty]))
  t.equal(entries.length, 0)
})

t.test('closing ends what is being compiled', async (t) => {
  const other = new ListCompiler(matcher)
  const text = textOf(Array.from({ length: 200_000 }, (_, i) => `A${i}`))
  const compiling = other.compile(text, contentVersion([text]))
  other.close()
  await t.rejects(compiling, { message: 'the engine is closing' })
  await t.rejects(other.compile(bytesOf(''), ''), { message: 'the engine is closing' })
})

import fc from 'fast-check'
import t from 'tap'
import { TextPieces, type Encoding } from '../../../engine/runtime/text_pieces.js'

function decoded(bytes: Buffer, size: number, encoding?: Encoding): { text: string; encoding: Encoding } {
  const pieces = new TextPieces(encoding)
  let text = ''
  for (let at = 0; at < bytes.length; at += size) text += pieces.push(bytes.subarray(at, at + size))
  text += pieces.end()
  return { text, encoding: pieces.encoding }
}

const mark = (text: string) => `\ufeff${text}`
const bare = (text: string) => text.replace(/^\ufeff/, '')
const anyText = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((text) => !text.includes('\ufeff'))
const anySize = fc.integer({ min: 1, max: 9 })

t.test('a text comes back whole, in any encoding and cut anywhere', async () => {
  fc.assert(
    fc.property(anyText, anySize, (text, size) => {
      const utf8 = decoded(Buffer.from(text), size, 'utf-8').text === text
      const guessed = bare(decoded(Buffer.from(mark(text)), size).text) === text
      const le = bare(decoded(Buffer.from(mark(text), 'utf16le'), size).text) === text
      const be = bare(decoded(Buffer.from(mark(text), 'utf16le').swap16(), size).text) === text
      return utf8 && guessed && le && be
    }),
    { numRuns: 1_000 },
  )
})

t.test('text of Windows-1252 is known by its bytes, cut anywhere', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('Müller', 'Käfer', 'plate', 'é', 'señor', 'Zürich'), { maxLength: 20 }),
      anySize,
      (words, size) => {
        const text = `${words.join(' ')} ü \n`
        return decoded(Buffer.from(text, 'latin1'), size).text === text
      },
    ),
  )
})

t.test('any bytes are a text or an error that says what to do', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), anySize, (bytes, size) => {
      try {
        return typeof decoded(Buffer.from(bytes), size).text === 'string'
      } catch (error) {
        return /save it as UTF-8/.test((error as Error).message)
      }
    }),
    { numRuns: 2_000 },
  )
})

t.test('a file that ends within a character keeps what is before it', async (t) => {
  t.match(decoded(Buffer.from('é7ABC123 é').subarray(0, -1), 4).text, /^é7ABC123 /)
  t.same(decoded(Buffer.from('a'), 1), { text: 'a', encoding: 'utf-8' })
  t.same(decoded(Buffer.alloc(0), 1), { text: '', encoding: 'utf-8' })
})

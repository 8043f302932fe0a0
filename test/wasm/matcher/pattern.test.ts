import fc from 'fast-check'
import t from 'tap'
import { CODES, coverOf, parsePattern, type WasmError } from '../../../wasm/internal_mod.js'

const failure = (source: string): { code: string; position: unknown } | undefined => {
  try {
    parsePattern(source)
    return undefined
  } catch (error) {
    const { code, details } = error as WasmError
    return { code, position: details.position }
  }
}

t.test('a pattern has one canonical spelling', async (t) => {
  const spelled: [string, string][] = [
    ['7?B', '7?B'],
    ['7abc 123', '7ABC123'],
    ['7-ABC-123', '7ABC123'],
    [' 7?b*4 ~1', '7?B*4~1'],
    ['[b8]c~2', '[8B]C~2'],
    ['[a-c]1', '[ABC]1'],
    ['[0-9A-Z]1', '?1'],
    ['**7***', '*7*'],
    ['8bc & 12', '8BC&12'],
    ['7??@ca', '7??@CA'],
    ['7*~1@us-ca, us-nv', '7*~1@US-CA,US-NV'],
    ['@CA', '*@CA'],
    ['7~0', '7'],
    ['７？Ｂ＊', '7?B*'],
    ['КА?7', 'KA?7'],
    ['ΑΒ12', 'AB12'],
    ['B\u00D6-AB 12', 'BOAB12'],
    ['٧ABC', '7ABC'],
    ['*'.repeat(20), '*'],
  ]
  for (const [source, text] of spelled) {
    const pattern = parsePattern(source)
    t.equal(pattern.text, text, source)
    t.equal(pattern.source, source, 'the original is kept')
    t.equal(parsePattern(pattern.text).text, pattern.text, 'the canonical spelling parses to itself')
  }
})

t.test('an invalid pattern fails with a code and the position of the fault', async (t) => {
  const wrong: [string, string, number?][] = [
    ['', 'EMPTY'],
    ['  - ', 'EMPTY'],
    ['~1', 'EMPTY'],
    ['7[8', 'INVALID', 2],
    ['7]8', 'INVALID', 2],
    ['7[]', 'INVALID', 3],
    ['7[8*]', 'INVALID', 4],
    ['7[C-A]', 'INVALID', 5],
    ['7[8-B]', 'INVALID', 5],
    ['7~3', 'INVALID', 3],
    ['7~', 'INVALID', 2],
    ['7~x', 'INVALID', 3],
    ['7~1~1', 'INVALID', 4],
    ['7~12', 'INVALID', 4],
    ['7@', 'INVALID', 2],
    ['7@CA,', 'INVALID', 2],
    ['7@C?', 'INVALID', 4],
    ['7.B', 'INVALID', 2],
    ['7_B', 'INVALID', 2],
    ['7%', 'INVALID', 2],
    ['7 + 8', 'INVALID', 3],
    ['Ж7', 'INVALID', 1],
    ['7😀', 'INVALID', 2],
    ['😀7', 'INVALID', 1],
    ['8 & ', 'INVALID', 5],
    ['& 8', 'INVALID', 1],
    ['8&&9', 'INVALID', 3],
    ['8B*&1', 'INVALID', 3],
    ['1&2&3&4&5', 'INVALID', 8],
    ['7,8', 'INVALID', 2],
    ['?'.repeat(17), 'TOO_LONG'],
    [`${'A'.repeat(9)}&${'B'.repeat(9)}`, 'TOO_LONG'],
    ['*'.repeat(129), 'TOO_LONG'],
  ]
  for (const [source, code, position] of wrong)
    t.match(failure(source), { code: `ALPR_ERR_PATTERN_${code}`, position }, `"${source}"`)
})

t.test('any text is a pattern or fails with a code, in bounded time', async (t) => {
  const piece = fc.constantFrom(
    '7',
    'B',
    '?',
    '*',
    '[',
    ']',
    '-',
    '~',
    '1',
    '&',
    '@',
    ',',
    ' ',
    'ß',
    'Ω',
    '\u0301',
    '[8B]',
    '~2',
    '@CA',
  )
  await fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
      ),
      (source) => {
        const found = failure(source)
        if (found === undefined) return parsePattern(parsePattern(source).text).text === parsePattern(source).text
        return (
          found.code.startsWith('ALPR_ERR_PATTERN_') &&
          (found.code !== 'ALPR_ERR_PATTERN_INVALID' ||
            (Number(found.position) >= 1 && Number(found.position) <= source.length + 1))
        )
      },
    ),
    { numRuns: 20_000 },
  )
  t.pass('20,000 texts')
})

t.test('a cover contains its codes and no other character', async (t) => {
  await fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 35 }), { minLength: 1, maxLength: 35 }), (classes) => {
      const members = new Set(classes.map((c) => CODES.indexOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'[c]!)))
      const cubes = coverOf(members)
      for (let code = 0; code < 64; code++) {
        const held = cubes.some(({ mask, value }) => (code & mask) === value)
        if (CODES[code] !== '-' && held !== members.has(code)) return false
      }
      return cubes.length <= 20
    }),
    { numRuns: 300 },
  )
  const pair = coverOf(new Set(['8', 'B'].map((c) => CODES.indexOf(c))))
  t.equal(pair.length, 1, 'a pair of look-alikes is one cube')
})

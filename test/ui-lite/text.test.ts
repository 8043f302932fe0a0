import t from 'tap'
import { execFileSync } from 'node:child_process'
import { build } from 'esbuild'
import fc from 'fast-check'

interface Column {
  read: string
  listed: string
  same: boolean
}

/** A module of the page, as the page gets it. */
async function pageModule<T>(file: string): Promise<T> {
  const { outputFiles } = await build({ entryPoints: [file], bundle: true, format: 'esm', write: false })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`) as Promise<T>
}

t.test('two plates are put over each other with the fewest differences', async (t) => {
  const { align } = await pageModule<{ align(read: string, listed: string): Column[] }>('ui-lite/shared/text/plate.ts')
  const plate = fc.string({ unit: fc.constantFrom(...'0O1I8BAC7'), maxLength: 9 })
  fc.assert(
    fc.property(plate, plate, (read, listed) => {
      const columns = align(read, listed)
      return (
        columns.map((c) => c.read).join('') === read &&
        columns.map((c) => c.listed).join('') === listed &&
        columns.every((c) => c.same === (c.read === c.listed) && c.read + c.listed !== '') &&
        columns.filter((c) => !c.same).length === distance(read, listed)
      )
    }),
  )
  t.same(
    align('9LPQ12', '9LPQ712').map((c) => [c.read || '·', c.listed]),
    [
      ['9', '9'],
      ['L', 'L'],
      ['P', 'P'],
      ['Q', 'Q'],
      ['·', '7'],
      ['1', '1'],
      ['2', '2'],
    ],
  )
})

t.test('spans and percentages never claim more than they know', async (t) => {
  const { span, stopwatch } = await pageModule<{ span(ms: number): string; stopwatch(ms: number): string }>(
    'ui-lite/shared/text/time.ts',
  )
  const { percent, compass } = await pageModule<{ percent(p: number): string; compass(d: number): string }>(
    'ui-lite/shared/text/words.ts',
  )
  t.same([-5, 340, 9_999, 42_000, 300_000, 9 * 3_600_000, 15 * 3_600_000, 80 * 3_600_000].map(span), [
    '0.0 s',
    '0.3 s',
    '10.0 s',
    '42 s',
    '5 min',
    '9 h',
    '15 h',
    '3 d',
  ])
  t.same([0, 65_000, 3_725_000].map(stopwatch), ['0:00', '1:05', '1:02:05'])
  t.same([0, 0.001, 0.5, 0.9999, 1].map(percent), ['0 %', '1 %', '50 %', '99 %', '100 %'], 'only certainty is 100 %')
  t.same([0, 44, 359, -90, 720].map(compass), ['north', 'north-east', 'north', 'west', 'north'])
})

t.test('the pages keep to their types', { timeout: 240_000 }, (t) => {
  // The main build does not see them: they are for a browser, and the bundler takes types as given.
  t.doesNotThrow(() =>
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'ui-lite'], { encoding: 'utf8' }),
  )
  t.end()
})

/** Levenshtein's distance, the plain way. */
function distance(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j - 1]! + Number(a[i - 1] !== b[j - 1]), row[j]! + 1, next[j - 1]! + 1))
    row = next
  }
  return row[b.length]!
}

import t from 'tap'
import { execFileSync } from 'node:child_process'
import { build } from 'esbuild'
import fc from 'fast-check'

interface AlignmentColumn {
  read: string
  listed: string
  same: boolean
}

/** Loads a module of the pages as the bundler delivers it. */
async function pageModule<T>(file: string): Promise<T> {
  const { outputFiles } = await build({ entryPoints: [file], bundle: true, format: 'esm', write: false })
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0]!.contents).toString('base64')}`) as Promise<T>
}

t.test('two plates are aligned with the fewest differences', async (t) => {
  const { alignPlates } = await pageModule<{ alignPlates(read: string, listed: string): AlignmentColumn[] }>(
    'ui-lite/console/plate_alignment.ts',
  )
  const plate = fc.string({ unit: fc.constantFrom(...'0O1I8BAC7'), maxLength: 9 })
  fc.assert(
    fc.property(plate, plate, (read, listed) => {
      const columns = alignPlates(read, listed)
      return (
        columns.map((c) => c.read).join('') === read &&
        columns.map((c) => c.listed).join('') === listed &&
        columns.every((c) => c.same === (c.read === c.listed) && c.read + c.listed !== '') &&
        columns.filter((c) => !c.same).length === distance(read, listed)
      )
    }),
  )
  t.same(
    alignPlates('9LPQ12', '9LPQ712').map((c) => [c.read || '·', c.listed]),
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

t.test('durations, percentages and headings are rounded without overstating what is known', async (t) => {
  const { duration, stopwatch } = await pageModule<{ duration(ms: number): string; stopwatch(ms: number): string }>(
    'ui-lite/shared/text/time_text.ts',
  )
  const { percent } = await pageModule<{ percent(p: number): string }>('ui-lite/shared/text/quantities.ts')
  const { compass } = await pageModule<{ compass(d: number): string }>('ui-lite/shared/text/headings.ts')
  t.same([-5, 340, 9_999, 42_000, 300_000, 9 * 3_600_000, 15 * 3_600_000, 80 * 3_600_000].map(duration), [
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

t.test('the pages pass the type check', { timeout: 240_000 }, (t) => {
  // The build does not check them: tsc leaves them out, and the bundler ignores types.
  t.doesNotThrow(() =>
    execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'ui-lite'], { encoding: 'utf8' }),
  )
  t.end()
})

/** The Levenshtein distance, one row at a time. */
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

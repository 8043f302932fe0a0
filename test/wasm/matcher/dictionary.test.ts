import fc from 'fast-check'
import t from 'tap'
import { loadMatcher } from '../../../wasm/internal_mod.js'
import {
  Dictionary,
  PlateBuilder,
  type PlateMatch,
  type PlateRow,
  type SearchOptions,
  type SearchPage,
} from '../../../wasm/mod.js'
import { Random } from '../random.js'
import { CHARACTERS, randomPlate } from '../reads.js'
import { PatternTwin, twinText, type TwinPattern, type TwinToken } from '../twin/plate_pattern.js'

const { module, confusions } = await loadMatcher()
const HOUR = 500_000

async function dictionaryOf(rows: readonly PlateRow[]): Promise<Dictionary> {
  const builder = new PlateBuilder(module)
  for (const row of rows) builder.addRow(row)
  return Dictionary.of(module, await builder.build(), confusions)
}

async function lastPage(dictionary: Dictionary, pattern: string, options: SearchOptions): Promise<SearchPage> {
  for await (const page of dictionary.search(pattern, options)) if (page.done) return page
  throw new Error('no last page')
}

const searchAll = (
  dictionary: Dictionary,
  pattern: string,
  lookAlikes = true,
  limit = 10_000,
): Promise<{ matches: PlateMatch[]; matched: number }> => lastPage(dictionary, pattern, { limit, lookAlikes })

function randomRows(random: Random, count: number): PlateRow[] {
  const rows = new Map<string, PlateRow>()
  // few letters and shared prefixes, so that blocks have constant planes and patterns have matches
  const letters = random.next() < 0.5 ? [...CHARACTERS] : [...CHARACTERS].slice(0, random.whole(2, 14))
  const stem = randomPlate(random, 0, 4)
  for (let i = 0; i < count; i++) {
    const tail = Array.from({ length: random.whole(1, random.next() < 0.9 ? 8 : random.next() < 0.8 ? 14 : 28) }, () =>
      random.pick(letters),
    ).join('')
    const plate = random.next() < 0.5 ? stem + tail : tail
    const region = random.pick(['', 'US-CA', 'US-NV', 'DE'])
    const first = HOUR + random.whole(0, 9_000)
    rows.set(`${plate}@${region}`, {
      plate,
      region,
      count: random.next() < 0.1 ? random.whole(1, 60_000) : random.whole(1, 9),
      firstHour: first,
      lastHour: first + random.whole(0, 9_000),
    })
  }
  return [...rows.values()]
}

function randomPattern(random: Random, rows: readonly PlateRow[]): TwinPattern {
  const set = (character: string): TwinToken =>
    random.next() < 0.8
      ? { set: character }
      : { set: [...new Set([character, random.pick([...CHARACTERS]), random.pick([...CHARACTERS])])].sort().join('') }
  const near = random.next() < 0.8 ? random.pick(rows).plate : randomPlate(random, 1, 8)
  const tokens = [...near.slice(0, 12)].map(
    (character): TwinToken =>
      random.next() < 0.25 ? {} : random.next() < 0.1 ? set(random.pick([...CHARACTERS])) : set(character),
  )
  const fragments: TwinToken[][] = []
  if (random.next() < 0.3 && tokens.length > 1) {
    for (let at = 0; at < tokens.length && fragments.length < 4; ) {
      const size = random.whole(1, 4)
      if (random.next() < 0.8) fragments.push(tokens.slice(at, at + size))
      at += size
    }
    if (fragments.length > 1)
      return {
        fragments: fragments.sort(() => random.next() - 0.5),
        edits: random.whole(0, 2),
        regions: regions(random),
      }
  }
  const whole: TwinToken[] = []
  for (const token of tokens) {
    if (random.next() < 0.15) whole.push('*')
    if (random.next() < 0.9) whole.push(token)
  }
  if (random.next() < 0.3 || whole.length === 0) whole.push('*')
  return { fragments: [whole], edits: random.whole(0, 2), regions: regions(random) }
}

const regions = (random: Random): string[] =>
  random.next() < 0.7 ? [] : random.next() < 0.5 ? ['US-CA'] : ['US-CA', 'DE']

/** Blocks and long plates that a search with this budget leaves out; it scans from their ends. */
async function compareInPart(
  random: Random,
  dictionary: Dictionary,
  rows: readonly PlateRow[],
  pattern: TwinPattern,
): Promise<boolean> {
  const text = twinText(pattern)
  const whole = await lastPage(dictionary, text, { limit: 10_000 })
  const page = await lastPage(dictionary, text, { limit: 10_000, budget: Math.floor(whole.work * random.next()) })
  if (page.scanned > rows.length || page.work > whole.work)
    throw new Error(`${text}: ${page.scanned} plates, ${page.work} units of ${rows.length} and ${whole.work}`)
  if (!page.partial && page.matched !== whole.matched) throw new Error(`${text}: lacks matches and does not say so`)
  if (page.matches.length !== page.matched) throw new Error(`${text}: matches that were scanned are left out`)
  const all = new Map(whole.matches.map((match) => [`${match.plate}@${match.region}`, match]))
  for (const match of page.matches) {
    const same = all.get(`${match.plate}@${match.region}`)
    if (!same || JSON.stringify(same) !== JSON.stringify(match))
      throw new Error(`${text}: ${JSON.stringify(match)} is ${JSON.stringify(same)} in the whole answer`)
  }
  const again = await lastPage(dictionary, text, { limit: 10_000, budget: page.work })
  const more = await lastPage(dictionary, text, { limit: 10_000, budget: whole.work * 2 + 1e6 })
  if (more.partial || more.matched !== whole.matched)
    throw new Error(`${text}: a budget that suffices leaves plates out`)
  if (again.matched < page.matched) throw new Error(`${text}: the same budget finds less`)
  return page.partial
}

async function compare(
  random: Random,
  dictionary: Dictionary,
  rows: readonly PlateRow[],
  pattern: TwinPattern,
  lookAlikes: boolean,
): Promise<number> {
  const twin = new PatternTwin(confusions.data, lookAlikes)
  const text = twinText(pattern)
  const wanted = new Map<string, { row: PlateRow; p: number }>()
  for (const row of rows) {
    if (pattern.regions.length > 0 && !pattern.regions.includes(row.region)) continue
    const p = twin.probability(pattern, row.plate)
    if (p > 0) wanted.set(`${row.plate}@${row.region}`, { row, p: confusions.calibrate(p) })
  }
  const { matches, matched } = await searchAll(dictionary, text, lookAlikes)
  if (matched !== wanted.size)
    throw new Error(
      `${text}: ${matched} matches, the oracle has ${wanted.size}; ${[...wanted.keys()]
        .filter((k) => !matches.some((m) => `${m.plate}@${m.region}` === k))
        .slice(0, 5)
        .join()} missing; ${matches
        .filter((m) => !wanted.has(`${m.plate}@${m.region}`))
        .slice(0, 5)
        .map((m) => m.plate)
        .join()} too many`,
    )
  for (const [i, match] of matches.entries()) {
    const one = wanted.get(`${match.plate}@${match.region}`)
    if (!one) throw new Error(`${text}: ${match.plate} is not a match`)
    if (Math.abs(match.probability - one.p) > 1e-12 * one.p)
      throw new Error(`${text}: ${match.plate} has ${match.probability}, the oracle ${one.p}`)
    const { row } = one
    if (match.count !== row.count || match.firstHour !== row.firstHour || match.lastHour !== row.lastHour)
      throw new Error(`${text}: ${JSON.stringify(match)} is not ${JSON.stringify(row)}`)
    const before = matches[i - 1]
    const rank = (before?.probability ?? 2) / match.probability - 1
    if (before && (rank < -1e-6 || (rank === 0 && before.lastHour < match.lastHour)))
      throw new Error(`${text}: not in order`)
    if (match.tolerated.filter(({ kind }) => kind !== 'look-alike').length > pattern.edits)
      throw new Error(`${text}: ${match.plate} explains more errors than allowed`)
  }
  // With few results wanted, most plates are only counted; the results must be the best of all.
  const limit = random.whole(1, 30)
  const few = await searchAll(dictionary, text, lookAlikes, limit)
  const ranks = (of: readonly PlateMatch[]) =>
    of.map(({ probability, lastHour }) => `${probability.toPrecision(5)} ${lastHour}`).join()
  if (few.matched !== matched || ranks(few.matches) !== ranks(matches.slice(0, limit)))
    throw new Error(`${text}: the best ${limit} are not the best of all`)
  return random.next()
}

/** Patterns of every kind, from those that reject most blocks to those that weigh every plate under 24 orders. */
const ESTIMATED = [
  '7?B*4',
  '7?B*',
  '[8B]??1*7',
  '*8BC1*',
  '*A*B*',
  '*',
  '8BC&12',
  '7&8&9',
  '[A-M]&[N-Z]',
  '7ABC123~1',
  '*8BC1*~1',
  '*8*~1',
  '7ABC123~2',
  '*8BC12*~2',
  '???????~2',
  '8BC&12~1',
  '8B&1&7~2',
  '[A-M]&[N-Z]&[0-4]~2',
  '[A-M]&[N-Z]&[0-4]&[5-9]~2',
  'AB&CD&EF&GH~2',
  '*[A-M]*[N-Z]*[0-4]*[5-9]*~2',
  '7ABC123@US-CA',
]
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

t.setTimeout(400_000)

t.test('any pattern on any dictionary gives exactly the results of the oracle', async (t) => {
  let cases = 0
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const random = new Random(seed)
      const rows = randomRows(random, random.next() < 0.2 ? 1_500 : random.whole(1, 120))
      const dictionary = await dictionaryOf(rows)
      for (let k = 0; k < 40; k++) {
        await compare(random, dictionary, rows, randomPattern(random, rows), random.next() < 0.8)
        cases += rows.length
      }
    }),
    { numRuns: Number(process.env.PLATESTREAM_RUNS ?? 20), endOnFailure: true },
  )
  t.pass(`${cases} pairs of plate and pattern`)
})

t.test('a search in part has the exact results of what it scanned, and says so', async (t) => {
  let partial = 0
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const random = new Random(seed)
      const rows = randomRows(random, random.whole(1, 3_000))
      const dictionary = await dictionaryOf(rows)
      for (let k = 0; k < 10; k++)
        if (await compareInPart(random, dictionary, rows, randomPattern(random, rows))) partial += 1
      dictionary.close()
    }),
    { numRuns: Number(process.env.PLATESTREAM_RUNS ?? 20), endOnFailure: true },
  )
  t.ok(partial > 0, `${partial} searches were in part`)
})

t.test('the estimate of a search is its work, within a factor of three, on patterns of every kind', async (t) => {
  const random = new Random(8)
  const builder = new PlateBuilder(module)
  const shapes = ['9AAA999', 'AAA9999', 'AA99AAA', 'AAA999', '999AAA', 'AA9999', 'XXXXXXXX']
  const character = (of: string) => random.pick([...(of === '9' ? '0123456789' : of === 'A' ? LETTERS : CHARACTERS)])
  for (let piece = 0; piece < 12; piece++) {
    const lines = Array.from({ length: 10_000 }, () => [...random.pick(shapes)].map(character).join(''))
    await builder.addLines(Buffer.from(`${lines.join('\n')}\n`), HOUR + piece)
  }
  const dictionary = Dictionary.of(module, await builder.build(), confusions)
  for (let i = 0; i < 3_000; i++)
    dictionary.add(Array.from({ length: random.whole(7, 20) }, () => character('X')).join(''), '', HOUR)
  for (const limit of [100, 5_000])
    for (const pattern of ESTIMATED) {
      const { work } = await lastPage(dictionary, pattern, { limit, explained: false })
      const estimate = await dictionary.estimate(pattern, { limit })
      t.ok(estimate < 3 * work && work < 3 * estimate, `${pattern}, ${limit}: ${estimate} for ${work}`)
      t.equal(await dictionary.estimate(pattern, { limit }), estimate, 'and always the same')
    }
  const hostile = await dictionary.estimate('[A-M]&[N-Z]&[0-4]&[5-9]~2')
  t.ok(hostile > 100 * (await dictionary.estimate('7?B*')), 'patterns differ by more than a hundred times')
})

t.test('long plates are searched like others, whenever they came', async (t) => {
  const random = new Random(9)
  const long = () => randomPlate(random, 13, 32)
  const rows = Array.from({ length: 1_500 }, (_, i) => ({
    plate: long(),
    region: i % 3 ? 'US-CA' : '',
    count: 1 + (i % 5),
    firstHour: HOUR + i,
    lastHour: HOUR + 2 * i,
  }))
  const dictionary = await dictionaryOf(rows)
  t.equal(dictionary.longs, 1_500)
  for (let i = 0; i < 1_500; i++) {
    const row = { plate: long(), region: 'US-NV', count: 2, firstHour: HOUR, lastHour: HOUR + 5 }
    t.equal(dictionary.add(row.plate, row.region, row.lastHour), 'new')
    t.equal(dictionary.add(row.plate, row.region, row.firstHour), 'known')
    rows.push(row)
  }
  for (let k = 0; k < 8; k++) await compare(random, dictionary, rows, randomPattern(random, rows), true)
  t.equal((await lastPage(dictionary, '*', { limit: 1 })).partial, false)
})

t.test('a search that may miss long plates beyond the bound says so', async (t) => {
  const dictionary = await dictionaryOf([])
  const room = 262_144
  for (let i = 0; i < room; i++) dictionary.add(`LONGTEXT${i}A`.padEnd(16, 'Z'), '', HOUR)
  t.equal(dictionary.longs, room)
  t.equal(dictionary.add('LONGTEXT0AZZZZZZ', '', HOUR), 'known')
  t.equal((await lastPage(dictionary, 'LONG*', { limit: 1 })).partial, false)
  t.equal(dictionary.add('ANOTHERLONGTEXT1', '', HOUR), 'lacking')
  t.equal(dictionary.add('7ABC123', '', HOUR), 'new')
  t.equal((await lastPage(dictionary, 'LONG*', { limit: 1 })).partial, true)
  t.equal((await lastPage(dictionary, '8&B', { limit: 1 })).partial, true)
  t.match(
    await lastPage(dictionary, '7ABC123~2', { limit: 1 }),
    { partial: false, matched: 1 },
    'it is too short for them',
  )
})

t.test('a dictionary that was built empty knows times', async (t) => {
  const dictionary = await dictionaryOf([])
  const now = Math.floor(Date.now() / 3_600_000)
  dictionary.add('7OLD111', '', now - 30_000)
  dictionary.add('7NEW111', '', now)
  dictionary.add('7MID111', '', now - 500)
  dictionary.add('7MID111', '', now - 5_000)
  const { matches } = await searchAll(dictionary, '7???111', false)
  t.same(
    matches.map(({ plate, firstHour, lastHour }) => [plate, now - firstHour, now - lastHour]),
    [
      ['7NEW111', 0, 0],
      ['7MID111', 5_000, 500],
      ['7OLD111', 30_000, 30_000],
    ],
  )
})

t.test('forty dictionaries and lists one after the other take the memory of a few', async (t) => {
  const random = new Random(10)
  const lines = Buffer.from(`${Array.from({ length: 200_000 }, () => randomPlate(random, 6, 8)).join('\n')}\n`)
  const entries = lines.toString().split('\n').slice(0, 200_000)
  const matcher = await loadMatcher()
  const turn = async () => {
    const builder = new PlateBuilder(module)
    await builder.addLines(lines, HOUR)
    const dictionary = Dictionary.of(module, await builder.build(), confusions)
    const { matched } = await lastPage(dictionary, '7*', { limit: 10 })
    dictionary.close()
    matcher.release(await matcher.compileList(entries))
    return matched
  }
  const matched = await turn()
  await turn()
  const before = process.memoryUsage().rss
  for (let i = 0; i < 40; i++)
    if ((await turn()) !== matched) throw new Error('a dictionary in used memory finds something else')
  const growth = (process.memoryUsage().rss - before) / 2 ** 20
  t.ok(growth < 60, `${growth.toFixed(0)} MiB more`)
})

t.test('a closed dictionary keeps its memory until its last search has ended', async (t) => {
  const rows = randomRows(new Random(11), 300)
  const dictionary = await dictionaryOf(rows)
  const letGo = dictionary.hold()
  dictionary.close()
  let freed = false
  dictionary.whenFreed(() => {
    freed = true
  })
  t.equal((await searchAll(dictionary, '*')).matched, rows.length)
  t.equal(freed, false)
  letGo()
  letGo()
  t.equal(freed, true)
  t.throws(() => dictionary.hold(), { message: 'this dictionary is closed' })
})

t.test('an append is found by the next search and counts reads of known plates', async (t) => {
  const random = new Random(3)
  const rows = randomRows(random, 900)
  const dictionary = await dictionaryOf(rows)
  const all = new Map(rows.map((row) => [`${row.plate}@${row.region}`, { ...row }]))
  for (let k = 0; k < 2_000; k++) {
    const plate = random.next() < 0.5 ? random.pick(rows).plate : randomPlate(random, 3, 9)
    const region = random.pick(['', 'US-CA', 'NEW'])
    const hour = HOUR + random.whole(0, 30_000)
    const known = all.get(`${plate}@${region}`)
    t.equal(dictionary.add(plate, region, hour), known ? 'known' : 'new')
    if (known) {
      known.count += 1
      known.firstHour = Math.min(known.firstHour, hour)
      known.lastHour = Math.max(known.lastHour, hour)
    } else all.set(`${plate}@${region}`, { plate, region, count: 1, firstHour: hour, lastHour: hour })
  }
  t.equal(dictionary.size, all.size)
  t.equal(dictionary.version, '1.2000')
  for (let k = 0; k < 10; k++) await compare(random, dictionary, [...all.values()], randomPattern(random, rows), true)

  const builder = new PlateBuilder(module)
  const drained = dictionary.drain()
  await builder.addDrained(drained)
  for (const row of drained.long) builder.addRow(row)
  const rebuilt = Dictionary.of(module, await builder.build(), confusions, 2)
  t.equal(rebuilt.size, all.size, 'a dictionary rebuilt from itself has the same plates')
  t.equal(rebuilt.version, '2.0')
  for (let k = 0; k < 10; k++) await compare(random, rebuilt, [...all.values()], randomPattern(random, rows), true)
})

t.test('text lines and RowBinary load from chunks cut anywhere', async (t) => {
  const random = new Random(4)
  const plates = ['7ABC123', '7abc-123', ' 8XYZ 99', 'КА123', 'ABCDEFGHIJKLMN', '', '???', '7ABC123']
  const bytes = new TextEncoder().encode(`${plates.join('\n')}\r\nLAST1`)
  const builder = new PlateBuilder(module)
  for (let at = 0; at < bytes.length; ) {
    const size = random.whole(1, 9)
    await builder.addLines(bytes.subarray(at, at + size), HOUR)
    at += size
  }
  await builder.endLines(HOUR)
  const built = await builder.build()
  const { matches } = await searchAll(Dictionary.of(module, built, confusions), '*')
  t.same(matches.map((m) => [m.plate, m.count]).sort(), [
    ['7ABC123', 3],
    ['8XYZ99', 1],
    ['ABCDEFGHIJKLMN', 1],
    ['KA123', 1],
    ['LAST1', 1],
  ])
  t.equal(built.refused, 1, 'the line without a letter or digit')

  const row = (plate: string, region: string, count: number, first: number, last: number) => {
    const text = (value: string) => {
      const b = Buffer.from(value)
      const length = []
      for (let n = b.length; ; n >>= 7) {
        length.push(n > 127 ? (n & 127) | 128 : n)
        if (n <= 127) break
      }
      return Buffer.concat([Buffer.from(length), b])
    }
    const numbers = Buffer.alloc(12)
    ;[count, first, last].forEach((n, i) => numbers.writeUInt32LE(n, i * 4))
    return Buffer.concat([text(plate), text(region), numbers])
  }
  const rows = Buffer.concat([
    row('7ABC123', 'US-CA', 300, HOUR, HOUR + 5),
    row('x'.repeat(9_000), 'US-CA', 1, HOUR, HOUR),
    row('7ABC123', '', 1, HOUR, HOUR),
    row('7ABC123', 'US-CA', 70_000, HOUR - 9, HOUR),
  ])
  const binary = new PlateBuilder(module)
  for (let at = 0; at < rows.length; ) {
    const size = random.whole(1, 3_000)
    await binary.addRows(rows.subarray(at, at + size))
    at += size
  }
  const second = await binary.build()
  t.equal(second.refused, 1, 'the row of nine thousand characters')
  t.same(
    (await searchAll(Dictionary.of(module, second, confusions), '7ABC123@US-CA')).matches.map(
      ({ region, count, firstHour, lastHour }) => ({ region, count, firstHour, lastHour }),
    ),
    [{ region: 'US-CA', count: 65_535, firstHour: HOUR - 9, lastHour: HOUR + 5 }],
  )
})

t.test('an empty dictionary can be searched and appended to', async (t) => {
  const dictionary = await dictionaryOf([])
  t.same((await searchAll(dictionary, '*')).matches, [])
  t.equal(dictionary.add('7ABC123', '', HOUR), 'new')
  t.same(
    (await searchAll(dictionary, '7?B*')).matches.map((m) => m.plate),
    ['7ABC123'],
  )
  t.equal(dictionary.add('?!', '', HOUR), 'refused')
})

t.test('a search yields pages during the scan and can be aborted', async (t) => {
  const builder = new PlateBuilder(module)
  const random = new Random(5)
  for (let k = 0; k < 30; k++)
    await builder.addLines(
      Buffer.from(`${Array.from({ length: 10_000 }, () => randomPlate(random, 7, 7)).join('\n')}\n`),
      HOUR,
    )
  const dictionary = Dictionary.of(module, await builder.build(), confusions)
  let last = 0
  for await (const page of dictionary.search('*A*~2', { limit: 50 })) {
    t.ok(page.scanned >= last && page.matches.length <= 50)
    last = page.scanned
    if (page.done) t.equal(page.scanned, dictionary.size)
  }
  const many = await Promise.all(
    Array.from({ length: 20 }, (_, i) => searchAll(dictionary, `*${CHARACTERS[i]}*`, true, 10)),
  )
  t.ok(
    many.every(({ matched }) => matched > 0),
    'more concurrent searches than instances',
  )
  const signal = AbortSignal.abort(new Error('left'))
  await t.rejects(
    async () => {
      for await (const page of dictionary.search('*', { signal })) void page
    },
    { message: 'left' },
  )
})

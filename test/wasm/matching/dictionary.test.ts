import fc from 'fast-check'
import t from 'tap'
import { loadMatcher } from '../../../wasm/internal_mod.js'
import { Dictionary, PlateBuilder, type PlateMatch, type PlateRow } from '../../../wasm/mod.js'
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

async function searchAll(dictionary: Dictionary, pattern: string, lookAlikes = true): Promise<{ matches: PlateMatch[]; matched: number }> {
  for await (const page of dictionary.search(pattern, { limit: 10_000, lookAlikes })) if (page.done) return page
  throw new Error('no last page')
}

function randomRows(random: Random, count: number): PlateRow[] {
  const rows = new Map<string, PlateRow>()
  // few letters and shared beginnings, so that blocks have constant planes and patterns have matches
  const letters = random.next() < 0.5 ? [...CHARACTERS] : [...CHARACTERS].slice(0, random.whole(2, 14))
  const stem = randomPlate(random, 0, 4)
  for (let i = 0; i < count; i++) {
    const tail = Array.from({ length: random.whole(1, random.next() < 0.9 ? 8 : 14) }, () => random.pick(letters)).join('')
    const plate = random.next() < 0.5 ? stem + tail : tail
    const region = random.pick(['', 'US-CA', 'US-NV', 'DE'])
    const first = HOUR + random.whole(0, 9_000)
    rows.set(`${plate}@${region}`, { plate, region, count: random.next() < 0.1 ? random.whole(1, 60_000) : random.whole(1, 9), firstHour: first, lastHour: first + random.whole(0, 9_000) })
  }
  return [...rows.values()]
}

function randomPattern(random: Random, rows: readonly PlateRow[]): TwinPattern {
  const set = (character: string): TwinToken => (random.next() < 0.8 ? { set: character } : { set: [...new Set([character, random.pick([...CHARACTERS]), random.pick([...CHARACTERS])])].sort().join('') })
  const near = random.next() < 0.8 ? random.pick(rows).plate : randomPlate(random, 1, 8)
  const tokens = [...near.slice(0, 12)].map((character): TwinToken => (random.next() < 0.25 ? {} : random.next() < 0.1 ? set(random.pick([...CHARACTERS])) : set(character)))
  const fragments: TwinToken[][] = []
  if (random.next() < 0.3 && tokens.length > 1) {
    for (let at = 0; at < tokens.length && fragments.length < 4;) {
      const size = random.whole(1, 4)
      if (random.next() < 0.8) fragments.push(tokens.slice(at, at + size))
      at += size
    }
    if (fragments.length > 1) return { fragments: fragments.sort(() => random.next() - 0.5), edits: random.whole(0, 2), regions: regions(random) }
  }
  const whole: TwinToken[] = []
  for (const token of tokens) {
    if (random.next() < 0.15) whole.push('*')
    if (random.next() < 0.9) whole.push(token)
  }
  if (random.next() < 0.3 || whole.length === 0) whole.push('*')
  return { fragments: [whole], edits: random.whole(0, 2), regions: regions(random) }
}

const regions = (random: Random): string[] => (random.next() < 0.7 ? [] : random.next() < 0.5 ? ['US-CA'] : ['US-CA', 'DE'])

async function compare(random: Random, dictionary: Dictionary, rows: readonly PlateRow[], pattern: TwinPattern, lookAlikes: boolean): Promise<number> {
  const twin = new PatternTwin(confusions.data, lookAlikes)
  const text = twinText(pattern)
  const wanted = new Map<string, { row: PlateRow; p: number }>()
  for (const row of rows) {
    if (pattern.regions.length > 0 && !pattern.regions.includes(row.region)) continue
    const p = twin.probability(pattern, row.plate)
    if (p > 0) wanted.set(`${row.plate}@${row.region}`, { row, p })
  }
  const { matches, matched } = await searchAll(dictionary, text, lookAlikes)
  if (matched !== wanted.size) throw new Error(`${text}: ${matched} matches, the oracle has ${wanted.size}; ${[...wanted.keys()].filter((k) => !matches.some((m) => `${m.plate}@${m.region}` === k)).slice(0, 5).join()} missing; ${matches.filter((m) => !wanted.has(`${m.plate}@${m.region}`)).slice(0, 5).map((m) => m.plate).join()} too many`)
  for (const [i, match] of matches.entries()) {
    const one = wanted.get(`${match.plate}@${match.region}`)
    if (!one) throw new Error(`${text}: ${match.plate} is not a match`)
    if (Math.abs(match.probability - one.p) > 1e-12 * one.p) throw new Error(`${text}: ${match.plate} has ${match.probability}, the oracle ${one.p}`)
    const { row } = one
    if (match.count !== row.count || match.firstHour !== row.firstHour || match.lastHour !== row.lastHour) throw new Error(`${text}: ${JSON.stringify(match)} is not ${JSON.stringify(row)}`)
    const before = matches[i - 1]
    const rank = Math.fround(before?.probability ?? 2) - Math.fround(match.probability)
    if (before && (rank < 0 || (rank === 0 && before.lastHour < match.lastHour))) throw new Error(`${text}: not in order`)
    if (match.tolerated.filter(({ kind }) => kind !== 'look-alike').length > pattern.edits) throw new Error(`${text}: ${match.plate} explains more errors than allowed`)
  }
  return random.next()
}

t.test('any pattern on any dictionary gives exactly what the oracle gives', async (t) => {
  let cases = 0
  await fc.assert(fc.asyncProperty(fc.integer(), async (seed) => {
    const random = new Random(seed)
    const rows = randomRows(random, random.next() < 0.1 ? 1_500 : random.whole(1, 120))
    const dictionary = await dictionaryOf(rows)
    for (let k = 0; k < 40; k++) {
      await compare(random, dictionary, rows, randomPattern(random, rows), random.next() < 0.8)
      cases += rows.length
    }
  }), { numRuns: Number(process.env.PLATESTREAM_RUNS ?? 20), endOnFailure: true })
  t.pass(`${cases} pairs of plate and pattern`)
})

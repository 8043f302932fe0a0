import { CHARACTERS, Dictionary, Matcher, parsePattern, PlateBuilder, type Pattern } from '../../wasm/mod.js'
import { matcherLayout, plainWeights } from '../../wasm/internal_mod.js'
import { Plates, REGION_SHAPES, STATE_SHAPES } from '../random/plates.js'
import { FIRST_HOUR } from './dictionary.js'
import { matchTwin, PatternTwin, type TwinToken } from './oracles.js'
import { PATTERNS } from './patterns.js'

/**
 * Runs the benchmark's patterns on a small dictionary, and checks every match and every probability.
 * @throws at the first difference from the oracle
 */
export async function checkPatterns(matcher: Matcher): Promise<void> {
  const texts = crowdedPlates()
  const builder = new PlateBuilder(matcher.module)
  await builder.addLines(new TextEncoder().encode(`${texts.join('\n')}\n`), FIRST_HOUR)
  const dictionary = Dictionary.of(matcher.module, await builder.build(), matcher.confusions)
  const twin = new PatternTwin(matcher.confusions.data)
  for (const [, , source] of PATTERNS) {
    const parsed = parsePattern(source)
    const wantedPattern = { fragments: parsed.fragments.map(tokensOf), edits: parsed.edits, regions: [] }
    const probability = (text: string) => matcher.confusions.calibrate(twin.probability(wantedPattern, text))
    const wanted = new Map(texts.map((text) => [text, probability(text)] as const).filter(([, p]) => p > 0))
    for await (const page of dictionary.search(source, { limit: matcherLayout.MAX_RESULTS })) {
      if (!page.done) continue
      const wrong = page.matches.find((match) => Math.abs((wanted.get(match.plate) ?? -1) - match.probability) > 1e-12)
      if (page.matched !== wanted.size || wrong)
        throw new Error(`${source}: ${page.matched} matches, the oracle has ${wanted.size}; ${JSON.stringify(wrong)}`)
    }
  }
  console.log(`equal to the scalar oracle on ${PATTERNS.length * texts.length} pairs of plate and pattern`)
}

/** Plates of few different characters, so that the patterns match many of them. */
function crowdedPlates(): string[] {
  const random = new Plates(7)
  const text = () =>
    random
      .text(random.pick(REGION_SHAPES))
      .replace(/[CDEFG]/g, 'B')
      .replace(/[359]/g, '1')
  return [...new Set(Array.from({ length: 20_000 }, text))]
}

function tokensOf({ elements, stars }: Pattern['fragments'][number]): TwinToken[] {
  const tokens: TwinToken[] = []
  for (let j = 0; j <= elements.length; j++) {
    if ((stars >> j) & 1) tokens.push('*')
    const classes = elements[j]?.classes
    if (elements[j]) tokens.push(classes ? { set: [...classes].map((c) => CHARACTERS[c]).join('') } : {})
  }
  return tokens
}

const kLists = 60
const kEntries = 1_000

/**
 * Matches reads against small lists: same entries, same probabilities to the last bit.
 * @throws at the first difference from the oracle
 */
export async function checkHotList(matcher: Matcher): Promise<void> {
  const random = new Plates(4_242)
  const plain = await Matcher.create(matcher.module.bytes, matcher.confusions)
  const { data } = plain.confusions
  for (let k = 0; k < kLists; k++) {
    const truth = random.text('9AAA999')
    const listed = Array.from({ length: kEntries }, (_, i) => {
      if (i % 2) return random.text(random.pick(STATE_SHAPES))
      const at = random.whole(7)
      return truth.slice(0, at) + random.text('X') + truth.slice(at + 1)
    })
    const read = random.read(truth, 0.8)
    const wanted = matchTwin(data, read, listed, plainWeights(read.length, data.missing))
    const list = await plain.compileList(listed)
    const found = plain.match(read, list, 0.001)
    plain.release(list)
    const should = wanted.filter((p) => p >= plain.confusions.uncalibrate(0.001)).length
    if (should <= 256 && found.length !== should) throw new Error(`${found.length} matches, the oracle has ${should}`)
    for (const match of found)
      if (match.probability !== plain.confusions.calibrate(wanted[match.entry]!))
        throw new Error(`${listed[match.entry]}: ${match.probability}, the oracle ${wanted[match.entry]}`)
  }
  console.log(`equal to the scalar oracle on ${kLists * kEntries} pairs of read and entry`)
}

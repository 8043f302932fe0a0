import { SearchPool } from '../../engine/mod.js'
import { Dictionary, PlateBuilder, type Matcher } from '../../wasm/mod.js'
import { matcherLayout, parsePattern } from '../../wasm/internal_mod.js'
import { PatternTwin, type TwinToken } from '../../test/wasm/twin/plate_pattern.js'
import { CHARACTERS } from '../../wasm/mod.js'
import { Plates, SHAPES } from './plates.js'

/** Patterns by what they are; `limit`: the multiple of a memory scan that they may take. */
const PATTERNS: [kind: string, limit: number, pattern: string][] = [
  ['wildcards', 2, '7?B*4'],
  ['wildcards', 2, '7?B*'],
  ['wildcards', 2, '?8?B?4?'],
  ['wildcards', 2, '[8B]??1*7'],
  ['wildcards', 2, '*8BC1*'],
  ['wildcards', 2, '*7?B'],
  ['fragments', 2, '8BC&12'],
  ['one error', 4, '7ABC123~1'],
  ['one error', 4, 'AB12CDE~1'],
  ['one error', 4, '7?BC12?~1'],
  ['one error', 4, '*8BC123*~1'],
  ['one error', 4, '*8BC1*~1'],
  ['two errors', 6, '7ABC123~2'],
  ['two errors', 6, 'ABC1234567~2'],
  ['two errors', 6, '*8ABC123*~2'],
  ['two errors', 6, '*8BC12*~2'],
]
const ROUNDS = 9
const HOURS = 8_760
const HOUR = 490_000

/** Dictionary of `count` random plates, with what loading it took; the making of the random texts is not counted. */
export async function load(
  matcher: Matcher,
  count: number,
  shapes: readonly string[],
): Promise<{ dictionary: Dictionary; ms: number; planes: number }> {
  const random = new Plates(12_345)
  const builder = new PlateBuilder(matcher.module)
  const piece = new Uint8Array(1 << 22)
  let ms = 0
  for (let made = 0; made < count; ) {
    let at = 0
    for (; made < count && at < piece.length - 32; made++) {
      // RowBinary as ClickHouse sends it: plate, region, count, first and last hour
      const length = at
      at = random.write(piece, at + 1, random.pick(shapes))
      piece[length] = at - length - 1
      piece[at] = 5
      at += 1
      for (const c of 'US-CA') piece[at++] = c.charCodeAt(0)
      const first = HOUR + random.whole(HOURS)
      const view = new DataView(piece.buffer, at, 12)
      view.setUint32(0, 1 + Math.floor(1 / (random.next() + 1e-3)), true)
      view.setUint32(4, first, true)
      view.setUint32(8, first + random.whole(HOUR + HOURS - first), true)
      at += 12
    }
    const start = performance.now()
    await builder.addRows(piece.subarray(0, at))
    ms += performance.now() - start
  }
  const start = performance.now()
  const built = await builder.build()
  const dictionary = Dictionary.of(matcher.module, built, matcher.confusions)
  ms += performance.now() - start
  return { dictionary, ms, planes: built.planesBytes }
}

/**
 * Best of `ROUNDS`, each round the scan of memory first and then every pattern, so that all share the machine's moods.
 */
export async function measurePatterns(matcher: Matcher, count: number, threads: number): Promise<object> {
  const { dictionary, ms, planes } = await load(matcher, count, SHAPES)
  const bytes = dictionary.bytes
  console.log(
    `${dictionary.size} plates of 5 to 10 characters loaded in ${(ms / 1000).toFixed(2)} s; ${(bytes / dictionary.size).toFixed(2)} bytes a plate all told (${(planes / dictionary.size).toFixed(2)} of them text)`,
  )
  const desk = await dictionary.acquireInstance()
  const { exports } = desk.memory
  const from = Math.ceil(dictionary.memoryRange.from / 64) * 64
  const end = from + Math.floor(bytes / 64) * 64
  const timed = (work: () => void) => {
    const start = performance.now()
    work()
    return performance.now() - start
  }
  const searches = PATTERNS.map(([kind, limit, pattern]) => ({
    kind,
    limit,
    pattern,
    program: dictionary.prepare(pattern).program,
    ms: Infinity,
    both: Infinity,
    matched: 0,
  }))
  let memory = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    memory = Math.min(
      memory,
      timed(() => {
        for (let at = from; at < end; at += 1 << 20) exports.memoryScan(at, Math.min(at + (1 << 20), end))
      }),
    )
    for (const search of searches) {
      search.ms = Math.min(
        search.ms,
        timed(() => {
          desk.memory.bytes(desk.pattern, search.program.length).set(search.program)
          exports.beginScan(desk.pattern)
          for (let block = exports.blocksNow(); block > 0; block -= 256)
            exports.scanBlocks(Math.max(0, block - 256), block)
          // what the scan put off is part of the answer
          exports.resultsHeld()
        }),
      )
      search.matched = exports.matchedPlates() >>> 0
    }
    await new Promise((resolve) => {
      setTimeout(resolve)
    })
  }
  const whole = ((10 * 6) / 8) * dictionary.size
  console.log(
    `memory-bound scan of its ${(bytes / 1e6).toFixed(0)} MB: ${memory.toFixed(2)} ms (${(bytes / memory / 1e6).toFixed(1)} GB/s); of ten plain 6-bit characters a plate: ${((memory * whole) / bytes).toFixed(2)} ms; of the text as stored: ${((memory * planes) / bytes).toFixed(2)} ms`,
  )

  const pools = [new SearchPool(1), new SearchPool(threads)]
  const all = async (pool: SearchPool, pattern: string) => {
    for await (const page of pool.search(dictionary, pattern)) if (page.done) return page.matched
    return -1
  }
  const pooled = searches.map(() => [Infinity, Infinity])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, search] of searches.entries()) {
      for (const [p, pool] of pools.entries()) {
        const start = performance.now()
        const matched = await all(pool, search.pattern)
        pooled[i]![p] = Math.min(pooled[i]![p]!, performance.now() - start)
        if (matched !== search.matched)
          throw new Error(`${search.pattern}: ${matched} matches by threads, ${search.matched} by one`)
      }
    }
  }
  for (const pool of pools) await pool.close()
  const rows = searches.map(({ kind, limit, pattern, ms: one, matched }, i) => ({
    kind,
    pattern,
    matched,
    ms: one,
    multiple: one / memory,
    ofText: one / ((memory * planes) / bytes),
    limit,
    threads: pooled[i]![0]! / pooled[i]![1]!,
    pooledMs: pooled[i]![1]!,
  }))
  for (const row of rows) {
    console.log(
      `${row.kind.padEnd(10)} ${row.pattern.padEnd(14)} ${row.ms.toFixed(2).padStart(7)} ms = ${row.multiple.toFixed(2)}x of the scan (limit ${row.limit}x), ${row.ofText.toFixed(2)}x of the stored text alone; ${String(row.matched).padStart(6)} matches; ${threads} threads ${row.threads.toFixed(2)}x, ${row.pooledMs.toFixed(2)} ms to the page`,
    )
  }
  const heavy = rows.filter(({ ms: one }) => one > 5)
  const gain = heavy.reduce((sum, { threads: x }) => sum + x, 0) / Math.max(1, heavy.length)
  console.log(
    `${threads} threads against one, mean over the ${heavy.length} patterns of more than 5 ms: ${gain.toFixed(2)}x`,
  )
  await compareWithOracle(matcher)
  return {
    plates: dictionary.size,
    loadMs: ms,
    bytesAPlate: bytes / dictionary.size,
    memoryMs: memory,
    rows,
    threadGain: gain,
  }
}

/** The same patterns on a small dictionary, held to the oracle: every match, every probability. */
async function compareWithOracle(matcher: Matcher): Promise<void> {
  const random = new Plates(7)
  const texts = [
    ...new Set(
      Array.from({ length: 20_000 }, () =>
        random
          .text(random.pick(SHAPES))
          .replace(/[CDEFG]/g, 'B')
          .replace(/[359]/g, '1'),
      ),
    ),
  ]
  const builder = new PlateBuilder(matcher.module)
  await builder.addLines(new TextEncoder().encode(`${texts.join('\n')}\n`), HOUR)
  const dictionary = Dictionary.of(matcher.module, await builder.build(), matcher.confusions)
  const twin = new PatternTwin(matcher.confusions.data)
  let pairs = 0
  for (const [, , source] of PATTERNS) {
    const parsed = parsePattern(source)
    const fragments = parsed.fragments.map(({ elements, stars }) => {
      const tokens: TwinToken[] = []
      for (let j = 0; j <= elements.length; j++) {
        if ((stars >> j) & 1) tokens.push('*')
        const classes = elements[j]?.classes
        if (elements[j]) tokens.push(classes ? { set: [...classes].map((c) => CHARACTERS[c]).join('') } : {})
      }
      return tokens
    })
    const wanted = new Map(
      texts
        .map(
          (text) =>
            [
              text,
              matcher.confusions.calibrate(twin.probability({ fragments, edits: parsed.edits, regions: [] }, text)),
            ] as const,
        )
        .filter(([, p]) => p > 0),
    )
    for await (const page of dictionary.search(source, { limit: matcherLayout.MAX_RESULTS })) {
      if (!page.done) continue
      const wrong = page.matches.find((match) => Math.abs((wanted.get(match.plate) ?? -1) - match.probability) > 1e-12)
      if (page.matched !== wanted.size || wrong)
        throw new Error(`${source}: ${page.matched} matches, the oracle has ${wanted.size}; ${JSON.stringify(wrong)}`)
    }
    pairs += texts.length
  }
  console.log(`equal to the scalar oracle on ${pairs} pairs of plate and pattern`)
}

import { loadMatcher } from '../../wasm/internal_mod.js'
import { defineBenchmark, flag, number, choice } from '../benchmark.js'
import { loadDictionary } from './dictionary.js'
import { measuredOf } from './figures.js'
import { HOT_LIST_GOALS, measureHotList } from './hot_list.js'
import { checkHotList, checkPatterns } from './oracle_checks.js'
import { measurePatterns, PATTERN_GOALS } from './patterns.js'

export const benchmark = defineBenchmark({
  question: `What does a pattern over all plates cost, as a multiple of reading the same bytes from memory? What does
    checking a read against a million entries cost, and what do other packages need for the same?`,
  method: `Everything in one run. Random plates of usual shapes, 5 to 10 characters, look-alikes on; best of nine
    rounds, in each the memory scan and then all patterns; then by one and by several threads, to the last page. Other
    packages are asked the best texts of the same reads of listed plates, at each list size they can handle. The same
    patterns and reads on smaller sets are checked against the scalar oracles.`,
  options: {
    plates: number(10_000_000, 'plates in the dictionary', 1),
    entries: number(1_000_000, 'entries of the hot list', 1),
    reads: number(5_000, 'reads checked against the hot list', 1),
    threads: number(2, 'threads that search the dictionary together', 1),
    peers: flag(true, 'ask the other packages too'),
    only: choice(['patterns', 'hot'], 'measure only patterns or only hot lists (default: both)'),
  },
  goals: [...PATTERN_GOALS, ...HOT_LIST_GOALS],
  async run({ plates, entries, reads, threads, peers: withPeers, only }) {
    const matcher = await loadMatcher()
    if (only === 'hot') return measuredOf({ ...(await measureLists()) })
    const patterns = await measurePatterns(matcher, plates, threads)
    await checkPatterns(matcher)
    const { dictionary, ms } = await loadDictionary(matcher, plates, ['XXXXXXXXXX'])
    const bytes = (dictionary.bytes / dictionary.size).toFixed(2)
    console.log(`worst case, ${dictionary.size} wholly random plates of 10 characters:`)
    console.log(`  ${bytes} bytes a plate, loaded in ${(ms / 1_000).toFixed(2)} s`)
    return measuredOf({ patterns, ...(only === 'patterns' ? {} : await measureLists()) })

    async function measureLists() {
      const { rows: hotList, listed } = await measureHotList(matcher, entries, reads)
      await checkHotList(matcher)
      if (!withPeers) return { hotList }
      // Loaded here because the packages are development dependencies.
      const { measurePeers } = await import('./peers.js')
      return { hotList, peers: await measurePeers(matcher, listed) }
    }
  },
})

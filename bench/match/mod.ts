import { parseArgs } from 'node:util'
import { loadMatcher } from '../../wasm/load_node.js'
import { measureHotList } from './hot_list.js'
import { load, measurePatterns } from './patterns.js'
import { measurePeers } from './peers.js'

export const summary = 'patterns over ten million plates, a read against a million listed ones'

/**
 * Questions: what does a pattern over all plates cost, as a multiple of reading the same bytes from memory? What does a
 * check of a read against a million entries cost, and what do other packages take for the same?
 *
 * Method: everything in one run. Random plates of usual forms, 5 to 10 characters, look-alikes on; best of nine rounds,
 * in each the memory scan and all patterns, one after the other; then by one and by several threads, to the last page.
 * Peers are asked the best texts of the same reads of listed plates as we are, at each size of the list that they can
 * take. The same patterns and reads on smaller sets are held to the scalar oracles.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      plates: { type: 'string', default: '10000000' },
      entries: { type: 'string', default: '1000000' },
      reads: { type: 'string', default: '5000' },
      threads: { type: 'string', default: '2' },
      peers: { type: 'boolean', default: true },
      only: { type: 'string', default: '' },
    },
    allowNegative: true,
  })
  const matcher = await loadMatcher()
  const patterns =
    values.only === 'hot' ? undefined : await measurePatterns(matcher, Number(values.plates), Number(values.threads))
  if (values.only !== 'hot') {
    const { dictionary, ms } = await load(matcher, Number(values.plates), ['XXXXXXXXXX'])
    console.log(
      `worst case, ${dictionary.size} wholly random plates of 10 characters: ${(dictionary.bytes / dictionary.size).toFixed(2)} bytes a plate, loaded in ${(ms / 1000).toFixed(2)} s`,
    )
  }
  if (values.only === 'patterns') return { benchmark: 'match', patterns }
  const hot = await measureHotList(matcher, Number(values.entries), Number(values.reads))
  const peers = values.peers ? await measurePeers(matcher, hot.listed) : []
  return { benchmark: 'match', patterns, hotList: hot.rows, peers }
}

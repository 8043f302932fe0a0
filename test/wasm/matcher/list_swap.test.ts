import t from 'tap'
import { loadMatcher } from '../../../wasm/load_node.js'
import { Random } from '../random.js'
import { readOf } from '../reads.js'

t.setTimeout(120_000)

t.test(
  'a hot list of a million entries is swapped during matching, and no read is matched against half a list',
  async (t) => {
    const matcher = await loadMatcher()
    const size = Number(process.env.PLATESTREAM_SWAP ?? 1_000_000)
    const letters = (i: number) =>
      String.fromCharCode(65 + (i % 26), 65 + (Math.floor(i / 26) % 26), 65 + (Math.floor(i / 676) % 26))
    const plates = Array.from(
      { length: size },
      (_, i) => `${i % 10}${letters(i)}${String(Math.floor(i / 1_000)).padStart(3, '0')}`,
    )
    const random = new Random(1)
    // The first, middle and last entry of both versions: half a list would lack one of them.
    const probes = [plates[0]!, plates[size >> 1]!, plates[size - 1]!]
    const reads = probes.map((plate) => readOf(random, plate))
    let list = await matcher.compileList(plates)
    let version = 1
    let checks = 0
    let turns = 0
    let going = true
    const matching = (async () => {
      while (going) {
        for (const [i, read] of reads.entries()) {
          const present = list
          const found = matcher.match(read, present, 0.5)
          if (!found.some(({ entry }) => entry % size === [0, size >> 1, size - 1][i]))
            throw new Error(`read ${i} was matched against half a list (version ${version})`)
          checks += 1
        }
        turns += 1
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
      }
    })()
    for (let swap = 0; swap < 2; swap++) {
      const before = turns
      const next = await matcher.compileList(plates)
      t.ok(turns > before, `matching continued while list ${swap + 2} was compiled`)
      const old = list
      list = next
      version += 1
      matcher.release(old)
      t.throws(() => matcher.match(reads[0]!, old, 0.5), { code: 'ALPR_ERR_LIST_RELEASED' })
    }
    going = false
    await matching
    t.ok(checks > 0, `${checks} checks`)
  },
)

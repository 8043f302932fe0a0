import uFuzzy from '@leeoniya/ufuzzy'
import { distance } from 'fastest-levenshtein'
import flexsearch from 'flexsearch'
import Fuse from 'fuse.js'
import MiniSearch from 'minisearch'
import { SymSpell } from 'mnemonist'
import { CHARACTERS } from '../../wasm/mod.js'
import { Plates } from './plates.js'

/** A package asked for the listed plates near a text. `size`: entries it is given, less where a million does not fit or takes minutes. */
interface Peer {
  name: string
  size: number
  queries: number
  build(plates: string[]): (text: string) => string[]
}

const PEERS: Peer[] = [
  { name: 'fastest-levenshtein loop', size: 1_000_000, queries: 10, build: (plates) => (text) => plates.filter((plate) => distance(plate, text) <= 1) },
  { name: 'mnemonist SymSpell', size: 100_000, queries: 2_000, build: (plates) => {
    const index = new SymSpell({ maxDistance: 1, verbosity: 2 })
    for (const plate of plates) index.add(plate)
    return (text) => index.search(text).map((found: { term: string }) => found.term)
  } },
  { name: 'uFuzzy', size: 1_000_000, queries: 10, build: (plates) => {
    const fuzzy = new uFuzzy({ intraMode: 1, intraIns: 1, intraSub: 1, intraTrn: 1, intraDel: 1 })
    return (text) => (fuzzy.filter(plates, text) ?? []).map((i) => plates[i]!)
  } },
  { name: 'fuse.js', size: 100_000, queries: 10, build: (plates) => {
    const fuse = new Fuse(plates, { threshold: 0.3, ignoreLocation: true })
    return (text) => fuse.search(text, { limit: 256 }).map(({ item }) => item)
  } },
  { name: 'minisearch', size: 100_000, queries: 500, build: (plates) => {
    const index = new MiniSearch({ fields: ['plate'] })
    index.addAll(plates.map((plate, id) => ({ id, plate })))
    return (text) => index.search(text, { fuzzy: 1 }).map(({ id }) => plates[id as number]!)
  } },
  { name: 'flexsearch', size: 100_000, queries: 2_000, build: (plates) => {
    const index = new flexsearch.Index({ tokenize: 'full' })
    plates.forEach((plate, id) => index.add(id, plate))
    return (text) => index.search(text, 256).map((id) => plates[id as number]!)
  } },
]

/** How long each package takes, and which of three kinds of reads it finds the listed plate for. */
export function measurePeers(listed: readonly string[], ours: number): object[] {
  return PEERS.map(({ name, size, queries, build }) => {
    const plates = listed.slice(0, size)
    const find = build(plates)
    const random = new Plates(99)
    const kinds = { exact: 0, misread: 0, missing: 0 }
    let ms = 0
    let asked = 0
    for (const kind of Object.keys(kinds) as (keyof typeof kinds)[]) {
      for (let q = 0; q < queries; q++) {
        const plate = random.pick(plates)
        const at = random.whole(plate.length)
        const other = CHARACTERS[(CHARACTERS.indexOf(plate[at]!) + 1 + random.whole(35)) % 36]!
        const text = kind === 'exact' ? plate : plate.slice(0, at) + (kind === 'misread' ? other : '') + plate.slice(at + 1)
        const start = performance.now()
        const found = find(text)
        ms += performance.now() - start
        asked += 1
        if (found.includes(plate)) kinds[kind] += 1 / queries
      }
    }
    const us = (ms / asked) * 1000
    const row = { name, entries: plates.length, us, ofOurs: us / ours, finds: kinds }
    console.log(`${name.padEnd(26)} ${plates.length} entries: ${us.toFixed(1)} us a read = ${(us / ours).toFixed(0)}x ours; finds ${Object.entries(kinds).map(([kind, share]) => `${kind} ${Math.round(share * 100)} %`).join(', ')}`)
    return row
  })
}

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import uFuzzy from '@leeoniya/ufuzzy'
import { distance } from 'fastest-levenshtein'
import flexsearch from 'flexsearch'
import Fuse from 'fuse.js'
import MiniSearch from 'minisearch'
import { SymSpell } from 'mnemonist'
import { CHARACTERS, type Matcher } from '../../wasm/mod.js'
import { Plates } from '../random/plates.js'

/** A package asked for the listed plates near a text. */
interface Peer {
  name: string
  /** Lists it is given: not those that take minutes or more memory than there is. */
  sizes: readonly number[]
  /** Reads it is asked, the first of those that we are asked; fewer where one takes long. */
  reads: number
  /** What it cannot answer, for the report. */
  lacks: string
  build(plates: readonly string[]): (text: string) => string[]
}

const SMALL = 100_000
const LARGE = 1_000_000
const READS = 2_000
/** Ours is asked with each: the lower, the more of what was read wrong is found. */
const THRESHOLDS = [0.1, 0.001, 0.0001]

const PEERS: Peer[] = [
  {
    name: 'mnemonist SymSpell',
    sizes: [SMALL, LARGE],
    reads: READS,
    lacks: 'no probabilities; one edit, two were not tried',
    build: (plates) => {
      const index = new SymSpell({ maxDistance: 1, verbosity: 2 })
      for (const plate of plates) index.add(plate)
      return (text) => index.search(text).map((found: { term: string }) => found.term)
    },
  },
  {
    name: 'fastest-levenshtein loop',
    sizes: [SMALL, LARGE],
    reads: 20,
    lacks: 'no probabilities; any number of edits at the same price',
    build: (plates) => (text) => plates.filter((plate) => distance(plate, text) <= 1),
  },
  {
    name: 'uFuzzy',
    sizes: [SMALL, LARGE],
    reads: 20,
    lacks: 'no probabilities, one edit',
    build: (plates) => {
      const fuzzy = new uFuzzy({ intraMode: 1, intraIns: 1, intraSub: 1, intraTrn: 1, intraDel: 1 })
      return (text) => (fuzzy.filter(plates as string[], text) ?? []).map((i) => plates[i]!)
    },
  },
  {
    name: 'fuse.js',
    sizes: [SMALL],
    reads: 20,
    lacks: 'a score that is no probability',
    build: (plates) => {
      const fuse = new Fuse(plates, { threshold: 0.3, ignoreLocation: true })
      return (text) => fuse.search(text, { limit: 256 }).map(({ item }) => item)
    },
  },
  {
    name: 'minisearch',
    sizes: [SMALL, LARGE],
    reads: 500,
    lacks: 'a score that is no probability',
    build: (plates) => {
      const index = new MiniSearch({ fields: ['plate'] })
      index.addAll(plates.map((plate, id) => ({ id, plate })))
      return (text) => index.search(text, { fuzzy: 1 }).map(({ id }) => plates[id as number]!)
    },
  },
  {
    name: 'flexsearch',
    sizes: [SMALL],
    reads: READS,
    lacks: 'no edits: parts of a text only',
    build: (plates) => {
      const index = new flexsearch.Index({ tokenize: 'full' })
      plates.forEach((plate, id) => index.add(id, plate))
      return (text) => index.search(text, 256).map((id) => plates[id as number]!)
    },
  },
]

interface Row {
  name: string
  entries: number
  certainty: number
  /** Of ours. */
  threshold?: number
  /** Time of a read, microseconds. */
  us: number
  p99: number
  /** Reads of a listed plate for which it is found. */
  found: number
  buildMs: number
  megabytes: number
  lacks?: string
}

/**
 * A read of a listed plate, and the text that a package without distributions is given: the most probable character of
 * each position.
 */
interface Sample {
  plate: string
  read: Float32Array[]
  text: string
}

function samplesOf(random: Plates, plates: readonly string[], certainty: number): Sample[] {
  return Array.from({ length: READS }, () => {
    const plate = random.pick(plates)
    const read = random.read(plate, certainty)
    const text = read.map((p) => CHARACTERS[p.indexOf(Math.max(...p))] ?? '').join('')
    return { plate, read, text }
  })
}

/**
 * The same reads of listed plates asked of ours, on their distributions, and of each package, on their best texts; by
 * size of the list and by how sure the characters are. Each is asked a few reads first that do not count. What a
 * package takes is set beside ours at the highest threshold at which we find as many of the plates as it does, or else
 * at the one at which we find most.
 */
export async function measurePeers(matcher: Matcher, listed: readonly string[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const size of [SMALL, LARGE]) {
    const plates = listed.slice(0, size)
    if (plates.length < size) continue
    const random = new Plates(99)
    const sets = [0.98, 0.9, 0.7].map((certainty) => ({ certainty, samples: samplesOf(random, plates, certainty) }))
    const ask = (
      name: string,
      reads: number,
      find: (sample: Sample) => readonly string[],
      built: { buildMs: number; megabytes: number; lacks?: string; threshold?: number },
    ) =>
      sets.map(({ certainty, samples }): Row => {
        for (const sample of samples.slice(-Math.min(200, reads))) find(sample)
        const times: number[] = []
        let found = 0
        for (const sample of samples.slice(0, reads)) {
          const start = performance.now()
          const answer = find(sample)
          times.push((performance.now() - start) * 1000)
          if (answer.includes(sample.plate)) found += 1
        }
        times.sort((a, b) => a - b)
        return {
          name,
          entries: size,
          certainty,
          us: times[times.length >> 1]!,
          p99: times[Math.floor(times.length * 0.99)]!,
          found: found / times.length,
          ...built,
        }
      })
    const begin = performance.now()
    const list = await matcher.compileList(plates)
    const built = { buildMs: performance.now() - begin, megabytes: list.bytes / 1e6 }
    const ours = THRESHOLDS.flatMap((threshold) =>
      ask('platestream', READS, ({ read }) => matcher.match(read, list, threshold).map(({ entry }) => plates[entry]!), {
        ...built,
        threshold,
      }),
    )
    matcher.release(list)
    rows.push(...ours)
    ours.forEach((row) => print(row))
    // in a function, so that nothing of a package is left when the next one is weighed
    const askPeer = ({ name, reads, lacks, build }: Peer) => {
      const before = heldBytes()
      const start = performance.now()
      const find = build(plates)
      const buildMs = performance.now() - start
      const asked = ask(name, reads, ({ text }) => find(text), {
        buildMs,
        megabytes: Math.max(0, heldBytes() - before) / 1e6,
        lacks,
      })
      rows.push(...asked)
      for (const row of asked) {
        const same = ours.filter(({ certainty }) => certainty === row.certainty)
        print(
          row,
          same.find(({ found }) => found >= row.found) ??
            same.reduce((most, one) => (one.found > most.found ? one : most)),
        )
      }
    }
    for (const peer of PEERS) if (peer.sizes.includes(size)) askPeer(peer)
  }
  return rows
}

function print(
  { name, entries, certainty, threshold, us, p99, found, buildMs, megabytes, lacks }: Row,
  ours?: Row,
): void {
  const beside = ours
    ? ` = ${(us / ours.us).toFixed(1)}x ours at ${ours.threshold!}, which finds ${(100 * ours.found).toFixed(1)} % (p99 ${(p99 / ours.p99).toFixed(1)}x)`
    : ''
  console.log(
    `${name.padEnd(26)} ${entries} entries, sure to ${certainty}${threshold === undefined ? '' : `, p >= ${threshold}`}: p50 ${us.toFixed(1)}, p99 ${p99.toFixed(1)} us a read${beside}; finds ${(100 * found).toFixed(1)} %; built in ${(buildMs / 1000).toFixed(2)} s, ${megabytes.toFixed(0)} MB${lacks ? `; ${lacks}` : ''}`,
  )
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use once what is not needed has gone. */
function heldBytes(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

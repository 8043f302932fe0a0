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
import { quantile } from '../report/statistics.js'
import { TablePrinter, type Column } from '../report/table.js'

/** A package that finds the listed plates near a text. */
interface Peer {
  name: string
  /** List sizes: none that would take minutes, or more memory than the machine has. */
  sizes: readonly number[]
  /** How many of our reads it is asked; few when one takes long. */
  reads: number
  /** What it cannot do, for the report. */
  lacks: string
  build(plates: readonly string[]): (text: string) => string[]
}

const SMALL = 100_000
const LARGE = 1_000_000
const READS = 2_000
/** Ours is asked with each: the lower the threshold, the more misread plates are found. */
const THRESHOLDS = [0.1, 0.001, 0.0001]

const PEERS: Peer[] = [
  {
    name: 'mnemonist SymSpell',
    sizes: [SMALL, LARGE],
    reads: READS,
    lacks: 'no probabilities; one edit (two were not tried)',
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
    lacks: 'no probabilities; any number of edits at the same cost',
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
    lacks: 'a score that is not a probability',
    build: (plates) => {
      const fuse = new Fuse(plates, { threshold: 0.3, ignoreLocation: true })
      return (text) => fuse.search(text, { limit: 256 }).map(({ item }) => item)
    },
  },
  {
    name: 'minisearch',
    sizes: [SMALL, LARGE],
    reads: 500,
    lacks: 'a score that is not a probability',
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

/** Times in microseconds per read. */
export interface PeerRow {
  name: string
  entries: number
  certainty: number
  /** Of ours. */
  threshold?: number
  us: number
  p99: number
  /** Share of the reads for which the listed plate is found. */
  found: number
  buildMs: number
  megabytes: number
  lacks?: string
}

/**
 * A read of a listed plate, and the text that a package without distributions gets: the most probable character of
 * each position.
 */
interface Sample {
  plate: string
  read: Float32Array[]
  text: string
}

/** Samples by how certain their characters are. */
type SampleSet = { certainty: number; samples: Sample[] }

function samplesOf(random: Plates, plates: readonly string[], certainty: number): Sample[] {
  return Array.from({ length: READS }, () => {
    const plate = random.pick(plates)
    const read = random.read(plate, certainty)
    const text = read.map((p) => CHARACTERS[p.indexOf(Math.max(...p))] ?? '').join('')
    return { plate, read, text }
  })
}

/**
 * Asks the same reads of listed plates of ours, by their distributions, and of each package, by their best texts; by
 * list size and certainty. The first reads of each warm up and do not count. A package's time is compared with ours at
 * the highest threshold at which we find as many of the plates as the package does, or else at the threshold at which
 * we find most.
 */
export async function measurePeers(matcher: Matcher, listed: readonly string[]): Promise<PeerRow[]> {
  const rows: PeerRow[] = []
  const table = new TablePrinter(COLUMNS).header()
  for (const size of [SMALL, LARGE]) {
    const plates = listed.slice(0, size)
    if (plates.length < size) continue
    const random = new Plates(99)
    const sets = [0.98, 0.9, 0.7].map((certainty) => ({ certainty, samples: samplesOf(random, plates, certainty) }))
    const ours = await askOurs(matcher, plates, sets)
    rows.push(...ours)
    for (const row of ours) printRow(table, row)
    for (const peer of PEERS.filter(({ sizes }) => sizes.includes(size))) {
      for (const row of askPeer(peer, plates, sets)) {
        rows.push(row)
        printRow(table, row, comparable(ours, row))
      }
    }
  }
  return rows
}

async function askOurs(matcher: Matcher, plates: readonly string[], sets: readonly SampleSet[]): Promise<PeerRow[]> {
  const start = performance.now()
  const list = await matcher.compileList(plates)
  const built = { buildMs: performance.now() - start, megabytes: list.bytes / 1e6 }
  const rows = THRESHOLDS.flatMap((threshold) => {
    const find = ({ read }: Sample) => matcher.match(read, list, threshold).map(({ entry }) => plates[entry]!)
    return ask('platestream', plates.length, sets, READS, find).map((row) => ({ ...row, ...built, threshold }))
  })
  matcher.release(list)
  return rows
}

/** A function of its own, so that nothing of a package is left when the memory of the next one is measured. */
function askPeer(
  { name, reads, lacks, build }: Peer,
  plates: readonly string[],
  sets: readonly SampleSet[],
): PeerRow[] {
  const before = heldBytes()
  const start = performance.now()
  const find = build(plates)
  const buildMs = performance.now() - start
  const asked = ask(name, plates.length, sets, reads, ({ text }) => find(text))
  const megabytes = Math.max(0, heldBytes() - before) / 1e6
  return asked.map((row) => ({ ...row, buildMs, megabytes, lacks }))
}

function ask(
  name: string,
  entries: number,
  sets: readonly SampleSet[],
  reads: number,
  find: (sample: Sample) => readonly string[],
): Omit<PeerRow, 'buildMs' | 'megabytes'>[] {
  return sets.map(({ certainty, samples }) => {
    for (const sample of samples.slice(-Math.min(200, reads))) find(sample)
    const times: number[] = []
    let found = 0
    for (const sample of samples.slice(0, reads)) {
      const start = performance.now()
      const answer = find(sample)
      times.push((performance.now() - start) * 1_000)
      if (answer.includes(sample.plate)) found += 1
    }
    const [us, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
    return { name, entries, certainty, us, p99, found: found / times.length }
  })
}

/** Our row that finds as many plates as a package's, at the highest threshold; or else the one that finds most. */
function comparable(ours: readonly PeerRow[], { certainty, found }: PeerRow): PeerRow {
  const same = ours.filter((row) => row.certainty === certainty)
  return same.find((row) => row.found >= found) ?? same.reduce((most, one) => (one.found > most.found ? one : most))
}

const COLUMNS: Column[] = [
  { title: 'package', width: 26, align: 'left' },
  { title: 'entries', width: 9 },
  { title: 'certainty', width: 10 },
  { title: 'p >=', width: 7 },
  { title: 'p50 us', width: 10 },
  { title: 'p99 us', width: 10 },
  { title: 'finds', width: 7 },
  { title: 'built s', width: 8 },
  { title: 'MB', width: 6 },
]

/** @param ours what the row is compared with */
function printRow(table: TablePrinter, row: PeerRow, ours?: PeerRow): void {
  const { name, entries, certainty, threshold, us, p99, found, buildMs, megabytes, lacks } = row
  table.row(
    name,
    entries,
    certainty,
    threshold ?? '',
    us.toFixed(1),
    p99.toFixed(1),
    percent(found),
    (buildMs / 1_000).toFixed(2),
    megabytes.toFixed(0),
  )
  if (ours) {
    const [p50Times, p99Times] = [(us / ours.us).toFixed(1), (p99 / ours.p99).toFixed(1)]
    console.log(`  ${p50Times}x ours (p99 ${p99Times}x) at p >= ${ours.threshold}, which finds ${percent(ours.found)}`)
  }
  if (lacks) console.log(`  ${lacks}`)
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes in use after a garbage collection. */
function heldBytes(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

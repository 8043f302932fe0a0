import type { Hit } from '../../engine/mod.js'

/**
 * What a filter and the delay meter need of a hit, and the WebSocket frame as every console gets it: made once, shared
 * by all.
 */
export interface HitEntry {
  kind: 'hit'
  seq: number
  frame: Buffer
  facts: Pick<Hit, 'list' | 'camera' | 'priority' | 'lat' | 'lon' | 'tsLast'>
}

/**
 * Sequences that the stream lost before the gateway saw them; takes its place in the order so that every console is
 * told.
 */
export interface GapEntry {
  kind: 'gap'
  seq: number
  frame: Buffer
}

export type RingEntry = HitEntry | GapEntry

/**
 * The newest part of stream HITS in memory, shared by all consoles. Every entry ever pushed has a place (0, 1, 2 ...);
 * a console remembers the place it reads next, so a slow console costs nothing but that number. When the ring is full
 * the oldest entries go; a console that still needed them reads them from the stream.
 *
 *     place:      base            base+1   ...      end-1
 *     entries: [ oldest kept ][          ][ ... ][ newest ]
 *     seq:        > floor       strictly rising
 *
 * Limits: `maxEntries` and `maxBytes` (of frames), whichever acts first.
 */
export class Ring {
  #entries: RingEntry[] = []
  /** Entries before this index are evicted; the array is cut now and then, so that eviction costs nothing per push. */
  #head = 0
  #base = 0
  #bytes = 0
  #baseSeq: number

  /** @param baseSeq the sequence after which the ring knows everything */
  constructor(
    baseSeq: number,
    private readonly maxEntries = 4_096,
    private readonly maxBytes = 16_777_216,
  ) {
    this.#baseSeq = baseSeq
  }

  /** The ring holds everything that the stream had after this sequence. */
  get baseSeq(): number {
    return this.#baseSeq
  }
  /** The last sequence pushed, or the floor when there is none. */
  get last(): number {
    return this.#entries.length > this.#head ? this.#entries[this.#entries.length - 1]!.seq : this.#baseSeq
  }
  get size(): number {
    return this.#entries.length - this.#head
  }
  /** The place that the next entry will get. */
  get end(): number {
    return this.#base + this.size
  }

  push(entry: RingEntry): void {
    this.#entries.push(entry)
    this.#bytes += entry.frame.length
    while (this.size > this.maxEntries || (this.#bytes > this.maxBytes && this.size > 1)) this.#evict()
    if (this.#head > 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
  }

  /** The entry at a place; undefined when it is not there yet. @throws RangeError when it is no longer there */
  at(position: number): RingEntry | undefined {
    if (position < this.#base) throw new RangeError(`position ${position} was evicted, the oldest is ${this.#base}`)
    return this.#entries[this.#head + position - this.#base]
  }

  has(position: number): boolean {
    return position >= this.#base
  }

  /** The place of the first entry after `seq`. Only meaningful for `seq >= baseSeq`. */
  positionAfter(seq: number): number {
    let low = this.#head
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.seq <= seq) low = middle + 1
      else high = middle
    }
    return this.#base + low - this.#head
  }

  #evict(): void {
    const entry = this.#entries[this.#head]!
    this.#baseSeq = entry.seq
    this.#bytes -= entry.frame.length
    this.#head++
    this.#base++
  }
}

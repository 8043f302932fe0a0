/** What a new content of a list changes: numbers of plates. */
export interface ListChange {
  /** Plates of the list in force; 0 when there is none. */
  before: number
  after: number
  added: number
  removed: number
  /** Plates whose reason, state or times are others. */
  changed: number
  /** Of `before` and `after`, those of which an entry has not ended. */
  openBefore: number
  openAfter: number
}

/** Every canonical line begins with this (hotlist_entries.ts); the plate follows, which needs no escapes. */
const PLATE_AT = '{"plate":"'.length
const QUOTE = 0x22
const LINE_END = 0x0a
/** The end of a canonical line whose entry ends. A quote within a reason is escaped. */
const UNTIL = /,"until":(-?\d+)\}\n$/

/** All lines of one plate. */
interface PlateLines {
  plate: string
  lines: Buffer
  isOpen: boolean
}

/**
 * Compares two canonical texts, which are sorted by plate, line by line: memory does not grow with them. The new one is
 * pushed piece by piece, the one in force is pulled.
 */
export class ChangeCounter {
  readonly #change: ListChange = {
    before: 0,
    after: 0,
    added: 0,
    removed: 0,
    changed: 0,
    openBefore: 0,
    openAfter: 0,
  }
  readonly #before: AsyncIterator<Uint8Array> | Iterator<Uint8Array>
  readonly #splitBefore: PlateSplitter
  readonly #splitAfter: PlateSplitter
  /** Plates in force that are not compared yet, and where the next one is. */
  #waiting: PlateLines[] = []
  #at = 0
  #isExhausted = false

  /** @param inForce pieces of the canonical text of the list in force; undefined when there is none */
  constructor(inForce: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = [], now = Date.now()) {
    this.#before = Symbol.asyncIterator in inForce ? inForce[Symbol.asyncIterator]() : inForce[Symbol.iterator]()
    this.#splitBefore = new PlateSplitter(now)
    this.#splitAfter = new PlateSplitter(now)
  }

  /** @throws what reading the list in force throws */
  async add(piece: Uint8Array): Promise<void> {
    await this.#compare(this.#splitAfter.push(piece))
  }

  async end(): Promise<ListChange> {
    await this.#compare(this.#splitAfter.end())
    while (await this.#fill()) {
      while (this.#at < this.#waiting.length) this.#drop()
    }
    return this.#change
  }

  async #compare(plates: readonly PlateLines[]): Promise<void> {
    for (const { plate, lines, isOpen } of plates) {
      this.#change.after += 1
      if (isOpen) this.#change.openAfter += 1
      // Waits once a piece, not once a plate.
      while (this.#at < this.#waiting.length || (await this.#fill())) {
        if (this.#waiting[this.#at]!.plate >= plate) break
        this.#drop()
      }
      const same = this.#waiting[this.#at]
      if (same?.plate !== plate) {
        this.#change.added += 1
        continue
      }
      if (!same.lines.equals(lines)) this.#change.changed += 1
      this.#take(same)
    }
  }

  /** The next plate in force is not on the new list. */
  #drop(): void {
    this.#change.removed += 1
    this.#take(this.#waiting[this.#at]!)
  }

  #take({ isOpen }: PlateLines): void {
    this.#change.before += 1
    if (isOpen) this.#change.openBefore += 1
    this.#at += 1
  }

  /** Reads plates in force until some wait. @returns false when there are no more */
  async #fill(): Promise<boolean> {
    while (this.#at >= this.#waiting.length && !this.#isExhausted) {
      const next = await this.#before.next()
      this.#isExhausted = next.done === true
      this.#waiting = next.done ? this.#splitBefore.end() : this.#splitBefore.push(next.value)
      this.#at = 0
    }
    return this.#at < this.#waiting.length
  }
}

/** Cuts a canonical text, in pieces of any size, into the lines of each plate. */
class PlateSplitter {
  #open: { plate: string; lines: Buffer[]; isOpen: boolean } | undefined
  #rest: Buffer = Buffer.alloc(0)

  constructor(private readonly now: number) {}

  push(piece: Uint8Array): PlateLines[] {
    const closed: PlateLines[] = []
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, piece]) : Buffer.from(piece)
    let at = 0
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, at)) {
      const plate = this.#take(bytes.subarray(at, end + 1))
      if (plate) closed.push(plate)
      at = end + 1
    }
    this.#rest = bytes.subarray(at)
    return closed
  }

  /** The last plate. */
  end(): PlateLines[] {
    const last = this.#open
    this.#open = undefined
    return last ? [closedOf(last)] : []
  }

  /** @returns the lines of the plate before, when this line is of another */
  #take(line: Buffer): PlateLines | undefined {
    const plate = line.toString('latin1', PLATE_AT, line.indexOf(QUOTE, PLATE_AT))
    const until = UNTIL.exec(line.toString('latin1', Math.max(0, line.length - 32)))?.[1]
    const isOpen = until === undefined || Number(until) > this.now
    if (this.#open?.plate === plate) {
      this.#open.lines.push(line)
      this.#open.isOpen ||= isOpen
      return undefined
    }
    const before = this.#open && closedOf(this.#open)
    this.#open = { plate, lines: [line], isOpen }
    return before
  }
}

const closedOf = ({ plate, lines, isOpen }: { plate: string; lines: Buffer[]; isOpen: boolean }): PlateLines => ({
  plate,
  lines: lines.length === 1 ? lines[0]! : Buffer.concat(lines),
  isOpen,
})

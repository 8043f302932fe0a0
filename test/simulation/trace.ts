import type { VirtualClock } from './clock.js'

/** Lines that a report of a failing seed shows. */
const KEPT = 4_000

/** What happened in a run: the last lines, and a hash of all, which two runs of one seed share. */
export class Trace {
  private readonly lines: string[] = []
  private state = 2_166_136_261
  private count = 0

  /** @param print receives each line at once */
  constructor(
    private readonly clock: VirtualClock,
    private readonly print?: (line: string) => void,
  ) {}

  /** @param who what acts: an engine, `nats`, `store`, `operator`, `cameras` */
  note(who: string, what: string): void {
    const line = `${this.clock.now.toFixed(2).padStart(10)} ${who.padEnd(9)} ${what}`
    let { state } = this
    for (let i = 0; i < line.length; i++) state = Math.imul(state ^ line.charCodeAt(i), 16_777_619)
    this.state = state
    this.count++
    this.lines.push(line)
    if (this.lines.length > 2 * KEPT) this.lines.splice(0, KEPT)
    this.print?.(line)
  }

  /** Virtual time of now, as in the lines. */
  get time(): string {
    return this.clock.now.toFixed(2)
  }

  /** Of every line so far. */
  get hash(): string {
    return `${(this.state >>> 0).toString(16).padStart(8, '0')}-${this.count}`
  }

  /** The last lines that `wanted` accepts. */
  last(count: number, wanted: (line: string) => boolean = () => true): string[] {
    return this.lines.filter(wanted).slice(-count)
  }
}

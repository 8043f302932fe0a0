/** Live reads that wait for one console. When the queue is full the oldest goes first. */
export class ReadQueue {
  #frames: Buffer[] = []
  #dropped = 0

  /** @param limit reads, at least 1 */
  constructor(private readonly limit: number) {}

  get length(): number {
    return this.#frames.length
  }
  /** Reads dropped since the console connected. */
  get dropped(): number {
    return this.#dropped
  }

  /** Returns whether an older read was dropped to make room. */
  push(frame: Buffer): boolean {
    const full = this.#frames.length >= this.limit
    if (full) {
      this.#frames.shift()
      this.#dropped++
    }
    this.#frames.push(frame)
    return full
  }

  shift(): Buffer | undefined {
    return this.#frames.shift()
  }

  clear(): void {
    this.#frames = []
  }
}

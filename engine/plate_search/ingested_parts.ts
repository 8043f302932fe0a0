/** Most ranges kept: gaps are the numbers of inserts that were not committed. */
const MAX_RANGES = 1_000

/**
 * Which blocks of a table have been read, as ClickHouse numbers them: each insert gets the next number, a part holds a
 * range of them (`all_3_7_1`: 3 to 7) that never changes, and a merge joins ranges. A part whose whole range has been
 * read holds nothing new, however late it was written. A table that was recreated counts from 1 again and has another
 * UUID.
 */
export class IngestedParts {
  #table = ''
  /** Disjoint, ascending, both ends included. */
  #ranges: [low: number, high: number][] = []

  /** Forgets everything when the table is another one. @param table its UUID @returns whether it is another one */
  follow(table: string): boolean {
    if (table === this.#table) return false
    this.#ranges = []
    this.#table = table
    return true
  }

  get lows(): number[] {
    return this.#ranges.map(([low]) => low)
  }

  get highs(): number[] {
    return this.#ranges.map(([, high]) => high)
  }

  /** @param part its name; only of partition `tuple()` */
  add(part: string): void {
    const [, from, to] = /^all_(\d+)_(\d+)_/.exec(part) ?? []
    if (from === undefined || to === undefined) return
    let [low, high] = [Number(from), Number(to)]
    const apart = this.#ranges.filter(([first, last]) => {
      if (last < low - 1 || first > high + 1) return true
      low = Math.min(low, first)
      high = Math.max(high, last)
      return false
    })
    this.#ranges = [...apart, [low, high] as [number, number]].sort((a, b) => a[0] - b[0]).slice(-MAX_RANGES)
  }
}

import { decodeResults, type Dictionary, type PreparedSearch, type SearchPage } from '../../wasm/mod.js'
import { Condition } from '../runtime/condition.js'
import type { SearchReport } from './search_messages.js'

/** Plates of a block. */
const BLOCK = 512

/**
 * One search of a pool: what its threads reported so far, and how it ended. Its reader takes pages when it likes; the
 * search does not wait for it, and keeps the last page only.
 */
export class PooledSearch {
  #reports: (SearchReport | undefined)[] = []
  #stillWorking = new Set<number>()
  #allStopped: () => void = () => {}
  #isNew = false
  readonly #changed = new Condition()
  #last: SearchPage | undefined
  #error: { reason: unknown } | undefined

  constructor(
    readonly id: number,
    readonly dictionary: Dictionary,
    readonly prepared: PreparedSearch,
  ) {}

  /** @returns a promise that resolves when every thread has stopped */
  begin(threads: number): Promise<void> {
    this.#reports = Array.from({ length: threads }, () => undefined)
    this.#stillWorking = new Set(this.#reports.keys())
    return new Promise((resolve) => {
      this.#allStopped = resolve
    })
  }

  report(thread: number, report: SearchReport): void {
    this.#reports[thread] = report
    if (report.done) this.#stop(thread)
    else this.#wake()
  }

  /** A thread ended: what it scanned is lost, and so is the search. */
  threadLost(thread: number, reason: unknown): void {
    this.fail(reason)
    this.#stop(thread)
  }

  /** The reader gets this error, unless there is one already or the search is over. */
  fail(reason: unknown): void {
    if (this.#last) return
    this.#error ??= { reason }
    this.#wake()
  }

  /** Makes the last page of what was reported. @throws the error of `fail` */
  async finish(): Promise<void> {
    if (this.#error) throw this.#error.reason
    this.#last = await this.#page(true)
    this.#wake()
  }

  /** The next page, as soon as there is news; `lastOnly`: the last one. @throws the error of `fail` */
  async next(lastOnly: boolean): Promise<SearchPage> {
    await this.#changed.wait(() => this.#error !== undefined || this.#last !== undefined || (this.#isNew && !lastOnly))
    if (this.#error) throw this.#error.reason
    if (this.#last) return this.#last
    this.#isNew = false
    // The memory may be another dictionary's as soon as the search is over.
    const release = this.dictionary.hold()
    try {
      return await this.#page(false)
    } finally {
      release()
    }
  }

  #page(done: boolean): Promise<SearchPage> {
    const reports = this.#reports.filter((report) => report !== undefined)
    const sum = (of: (report: SearchReport) => number) => reports.reduce((total, report) => total + of(report), 0)
    return this.dictionary.page(this.prepared, {
      raw: reports.flatMap(({ results }) => decodeResults(results, this.dictionary.hourZero)),
      matched: sum(({ matched }) => matched),
      scanned: sum(({ blocks, longs }) => blocks * BLOCK + longs),
      work: sum(({ work }) => work),
      done,
      partial: reports.some(({ partial }) => partial),
    })
  }

  #stop(thread: number): void {
    this.#stillWorking.delete(thread)
    if (this.#stillWorking.size === 0) this.#allStopped()
  }

  #wake(): void {
    this.#isNew = true
    this.#changed.changed()
  }
}

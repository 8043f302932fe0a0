import { Worker } from 'node:worker_threads'
import {
  decodeResults,
  type Dictionary,
  type Pattern,
  type ScanResult,
  type SearchOptions,
  type SearchPage,
} from '../../wasm/mod.js'
import { AlprError } from '../errors.js'
import type { SearchReport, SearchTask } from './search_worker.js'

/** Searches waiting for their turn; more are refused. */
const MAX_WAITING = 64

interface Opened {
  id: number
  /** Address of the counter of pieces, and of the threads' common floor behind it. */
  counter: number
}

/**
 * Threads that search dictionaries together, in the dictionary's own memory: one search at a time, all threads on it,
 * so that each is as quick as the machine allows. Pages come while the scan goes on.
 */
export class SearchPool {
  private readonly workers: Worker[]
  private readonly opened = new Map<Dictionary, Opened>()
  private readonly waiting: (() => void)[] = []
  private busy = false
  private ids = 0
  private listen: (worker: number, report: SearchReport) => void = () => {}
  private failed: Error | undefined
  private closed = false

  /** @param threads 1 or more */
  constructor(threads: number) {
    this.workers = Array.from({ length: threads }, (_, i) => {
      const worker = new Worker(new URL('./search_worker.js', import.meta.url))
      worker.on('message', (report: SearchReport) => this.listen(i, report))
      worker.on('error', (error) => {
        this.failed = error
        this.listen(i, { search: -1, results: new Uint8Array(0), matched: 0, blocks: 0, done: true })
      })
      worker.unref()
      return worker
    })
  }

  /** Forgets a dictionary whose place another one took, so that its memory can go. */
  release(dictionary: Dictionary): void {
    const opened = this.opened.get(dictionary)
    if (!opened) return
    this.opened.delete(dictionary)
    this.tell({ kind: 'close', dictionary: opened.id })
  }

  async close(): Promise<void> {
    this.closed = true
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }

  /**
   * Pages of a search, best first in each; the last is `done` (Dictionary.search has the details).
   * @throws ALPR_ERR_PATTERN_..., ALPR_ERR_SEARCH_INVALID, ALPR_ERR_SEARCHES_FULL, the signal's reason
   */
  async *search(
    dictionary: Dictionary,
    pattern: string | Pattern,
    options: SearchOptions = {},
  ): AsyncGenerator<SearchPage, void, void> {
    const prepared = dictionary.prepare(pattern, options)
    await this.turn()
    try {
      options.signal?.throwIfAborted()
      const { id, counter } = this.open(dictionary)
      const search = ++this.ids
      const blocks = dictionary.blocks
      new Int32Array(dictionary.memoryBuffer, counter, 2).fill(0)
      const reports: (SearchReport | undefined)[] = this.workers.map(() => undefined)
      let news: () => void = () => {}
      let fresh = false
      this.listen = (worker, report) => {
        if (report.search !== search && report.search !== -1) return
        reports[worker] = report
        fresh = true
        news()
      }
      const stop = () => {
        this.tell({ kind: 'stop', search })
        news()
      }
      options.signal?.addEventListener('abort', stop)
      try {
        this.tell({ kind: 'search', dictionary: id, search, program: prepared.program, blocks })
        for (;;) {
          if (!fresh)
            await new Promise<void>((resolve) => {
              news = resolve
            })
          fresh = false
          if (this.failed) throw new AlprError('ALPR_ERR_INTERNAL', {}, { cause: this.failed })
          const done = reports.every((report) => report?.done)
          // An aborted search is over when every thread has stopped: they are wanted for the next.
          if (options.signal?.aborted) {
            if (done) options.signal.throwIfAborted()
            continue
          }
          const raw: ScanResult[] = reports.flatMap((report) =>
            report ? decodeResults(report.results, dictionary.hourZero) : [],
          )
          const sum = (of: (report: SearchReport) => number) =>
            reports.reduce((total, report) => total + (report ? of(report) : 0), 0)
          const scanned = done ? prepared.plates : Math.min(prepared.plates, sum((report) => report.blocks) * 512)
          yield dictionary.page(
            prepared,
            raw,
            sum((report) => report.matched),
            scanned,
            done,
          )
          if (done) return
        }
      } finally {
        options.signal?.removeEventListener('abort', stop)
        if (!reports.every((report) => report?.done) && !this.failed && !this.closed) {
          // left early: stop the threads and wait for them
          stop()
          while (!reports.every((report) => report?.done) && !this.failed && !this.closed)
            await new Promise<void>((resolve) => {
              news = resolve
            })
        }
        this.listen = () => {}
      }
    } finally {
      this.busy = false
      for (const worker of this.workers) worker.unref()
      this.waiting.shift()?.()
    }
  }

  private async turn(): Promise<void> {
    if (this.busy) {
      if (this.waiting.length >= MAX_WAITING) throw new AlprError('ALPR_ERR_SEARCHES_FULL', { limit: MAX_WAITING })
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
    this.busy = true
    // idle threads keep no process alive, threads at work do
    for (const worker of this.workers) worker.ref()
  }

  private open(dictionary: Dictionary): Opened {
    const known = this.opened.get(dictionary)
    if (known) return known
    const opened = { id: ++this.ids, counter: dictionary.placeCounter() }
    for (const worker of this.workers)
      worker.postMessage({
        kind: 'open',
        dictionary: opened.id,
        shared: dictionary.share(),
        counter: opened.counter,
      } satisfies SearchTask)
    this.opened.set(dictionary, opened)
    return opened
  }

  private tell(task: SearchTask): void {
    for (const worker of this.workers) worker.postMessage(task)
  }
}

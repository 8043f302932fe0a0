import { Worker } from 'node:worker_threads'
import {
  decodeResults,
  type Dictionary,
  type Pattern,
  type PreparedSearch,
  type ScanResult,
  type SearchOptions,
  type SearchPage,
} from '../../wasm/mod.js'
import { AlprError } from '../errors.js'
import { Semaphore } from '../runtime/semaphore.js'
import type { SearchReport, SearchTask } from './search_worker.js'

/** Searches that may wait for the threads; more are refused. */
const MAX_WAITING = 64

interface Opened {
  id: number
  /** Address of the counter of pieces, and of the threads' common floor behind it. */
  counter: number
}

/** What the threads have reported of one search so far. */
class Reports {
  private readonly latest: (SearchReport | undefined)[]
  private isNew = false
  private notify: () => void = () => {}

  constructor(threads: number) {
    this.latest = Array.from({ length: threads }, () => undefined)
  }

  put(thread: number, report: SearchReport): void {
    this.latest[thread] = report
    this.wake()
  }

  /** Ends a wait for the next report without one. */
  wake(): void {
    this.isNew = true
    this.notify()
  }

  /** Resolves at the next report, or at once when one came since the last call. */
  async next(): Promise<void> {
    if (!this.isNew)
      await new Promise<void>((resolve) => {
        this.notify = resolve
      })
    this.isNew = false
  }

  /** Whether every thread has stopped. */
  get done(): boolean {
    return this.latest.every((report) => report?.done)
  }

  /** The best results of all threads, in no order. */
  results(hourZero: number): ScanResult[] {
    return this.latest.flatMap((report) => (report ? decodeResults(report.results, hourZero) : []))
  }

  sum(of: (report: SearchReport) => number): number {
    return this.latest.reduce((total, report) => total + (report ? of(report) : 0), 0)
  }
}

/**
 * Threads that search dictionaries together, in the dictionary's own memory: one search at a time, all threads on it,
 * so that each is as quick as the machine allows. Pages come while the scan goes on.
 */
export class SearchPool {
  private readonly workers: Worker[]
  private readonly opened = new Map<Dictionary, Opened>()
  /** Held by the search that the threads work on. */
  private readonly threads = new Semaphore(1, {
    maxWaiting: MAX_WAITING,
    full: () => new AlprError('ALPR_ERR_SEARCHES_FULL', { limit: MAX_WAITING }),
  })
  private ids = 0
  private running: { search: number; reports: Reports } | undefined
  /** Why the threads answer no more: one of them failed, or the pool was closed. */
  private failure: AlprError | undefined
  private closed = false

  /** @param threads 1 or more */
  constructor(threads: number) {
    this.workers = Array.from({ length: threads }, (_, i) => {
      const worker = new Worker(new URL('./search_worker.js', import.meta.url))
      worker.on('message', (report: SearchReport) => {
        if (report.search === this.running?.search) this.running.reports.put(i, report)
      })
      worker.on('error', (error) => this.fail(new AlprError('ALPR_ERR_INTERNAL', {}, { cause: error })))
      worker.unref()
      return worker
    })
  }

  /** Forgets a dictionary that another one has replaced, so that its memory can be freed. */
  release(dictionary: Dictionary): void {
    const opened = this.opened.get(dictionary)
    if (!opened) return
    this.opened.delete(dictionary)
    this.tell({ kind: 'close', dictionary: opened.id })
  }

  /** Ends the threads. The running search, those that wait and all later ones end with ALPR_ERR_SEARCHES_CLOSED. */
  async close(): Promise<void> {
    this.closed = true
    const error = new AlprError('ALPR_ERR_SEARCHES_CLOSED')
    this.fail(error)
    this.threads.close(error)
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }

  /**
   * Pages of a search, best first in each; the last is `done` (Dictionary.search has the details).
   * @throws ALPR_ERR_PATTERN_..., ALPR_ERR_SEARCH_INVALID, ALPR_ERR_SEARCHES_FULL, ALPR_ERR_SEARCHES_CLOSED, the
   *   signal's reason
   */
  async *search(
    dictionary: Dictionary,
    pattern: string | Pattern,
    { signal, ...options }: SearchOptions = {},
  ): AsyncGenerator<SearchPage, void, void> {
    const prepared = dictionary.prepare(pattern, options)
    const release = await this.threads.acquire({ signal })
    // Idle threads keep no process alive, threads at work do.
    for (const worker of this.workers) worker.ref()
    try {
      signal?.throwIfAborted()
      if (this.failure) throw this.failure
      yield* this.scan(dictionary, prepared, signal)
    } finally {
      // A thread that is being terminated keeps the process alive until it has ended.
      if (!this.closed) for (const worker of this.workers) worker.unref()
      release()
    }
  }

  /** Runs one search on all threads. However it ends, the threads have stopped afterwards. */
  private async *scan(
    dictionary: Dictionary,
    prepared: PreparedSearch,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<SearchPage, void, void> {
    const { id, counter } = this.open(dictionary)
    const search = ++this.ids
    const reports = new Reports(this.workers.length)
    new Int32Array(dictionary.memoryBuffer, counter, 2).fill(0)
    this.running = { search, reports }
    const stop = () => this.tell({ kind: 'stop', search })
    signal?.addEventListener('abort', stop)
    try {
      this.tell({ kind: 'search', dictionary: id, search, program: prepared.program, blocks: dictionary.blocks })
      for (;;) {
        await reports.next()
        if (this.failure) throw this.failure
        const { done } = reports
        // An aborted search is over when every thread has stopped: the next search needs them.
        if (signal?.aborted) {
          if (done) signal.throwIfAborted()
          continue
        }
        const scanned = done ? prepared.plates : Math.min(prepared.plates, reports.sum(({ blocks }) => blocks) * 512)
        const matched = reports.sum((report) => report.matched)
        yield dictionary.page(prepared, reports.results(dictionary.hourZero), matched, scanned, done)
        if (done) return
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      if (!reports.done && !this.failure) stop()
      while (!reports.done && !this.failure) await reports.next()
      this.running = undefined
    }
  }

  /** Ends the running search, and every later one, with `error`. */
  private fail(error: AlprError): void {
    this.failure ??= error
    this.running?.reports.wake()
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

import { Worker } from 'node:worker_threads'
import type { Dictionary, Pattern, SearchOptions, SearchPage } from '../../wasm/mod.js'
import { AlprError } from '../errors.js'
import { Semaphore } from '../runtime/semaphore.js'
import { PooledSearch } from './pooled_search.js'
import { WORK_UNITS, type SearchReport, type SearchTask } from './search_messages.js'

/** Searches that may wait for the threads; more are refused. */
const MAX_WAITING = 64
/** Threads lost in a row, without a search that ended well in between, after which the pool gives up. */
const MAX_LOST = 8
/** The threads' shared counters are 32 bits. */
const MAX_BUDGET = 2 ** 31 - 1

interface Opened {
  id: number
  /** Address of the threads' shared counters (search_worker.ts). */
  counters: number
}

export interface SearchPoolOptions {
  /** Most work of one search, all threads together, in units of about a nanosecond. @default no bound */
  budget?: number
  /** Script of the threads. */
  entry?: URL
}

/**
 * Threads that search dictionaries together, in the dictionary's own memory: one search at a time, all threads on it,
 * so that each is as quick as the machine allows.
 *
 *     search ──► waits for the threads ──► they scan, up to the budget ──► last page ──► done
 *                     │                            │
 *        signal, close, too many wait      signal, close, a thread lost ──► error
 *
 * A search goes on by itself: a reader that takes no pages keeps no thread, only its last page.
 */
export class SearchPool {
  readonly #threads: Worker[]
  readonly #opened = new Map<Dictionary, Opened>()
  /** Held by the search that the threads work on. */
  readonly #turns = new Semaphore(1, {
    maxWaiting: MAX_WAITING,
    full: () => new AlprError('ALPR_ERR_SEARCHES_FULL', { limit: MAX_WAITING }),
  })
  readonly #budget: number
  readonly #entry: URL
  #ids = 0
  #running: PooledSearch | undefined
  #lost = 0
  /** Why no search is answered any more: the pool was closed, or gave up. */
  #ended: AlprError | undefined

  /** @param threads 1 or more */
  constructor(threads: number, { budget = Infinity, entry }: SearchPoolOptions = {}) {
    this.#budget = budget
    this.#entry = entry ?? new URL('./search_worker.js', import.meta.url)
    this.#threads = Array.from({ length: threads }, (_, i) => this.#start(i))
  }

  /** Ends the threads. The running search, those that wait and all later ones end with ALPR_ERR_SEARCHES_CLOSED. */
  async close(): Promise<void> {
    this.#end(new AlprError('ALPR_ERR_SEARCHES_CLOSED'))
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }

  /**
   * Pages of a search, best first in each; the last is `done` (Dictionary.search has the details).
   * @throws ALPR_ERR_PATTERN_..., ALPR_ERR_SEARCH_INVALID, ALPR_ERR_SEARCHES_FULL, ALPR_ERR_SEARCHES_CLOSED,
   *   ALPR_ERR_INTERNAL when a thread is lost, the signal's reason
   */
  async *search(
    dictionary: Dictionary,
    pattern: string | Pattern,
    { signal, budget = this.#budget, lastOnly = false, ...options }: SearchOptions = {},
  ): AsyncGenerator<SearchPage, void, void> {
    if (this.#ended) throw this.#ended
    const search = new PooledSearch(++this.#ids, dictionary, dictionary.prepare(pattern, options))
    const left = new AbortController()
    const letGo = dictionary.hold()
    void this.#run(search, budget, AbortSignal.any([left.signal, ...(signal ? [signal] : [])])).finally(letGo)
    try {
      for (;;) {
        const page = await search.next(lastOnly)
        yield page
        if (page.done) return
      }
    } finally {
      left.abort()
    }
  }

  /** Never rejects: the search has the error. */
  async #run(search: PooledSearch, budget: number, signal: AbortSignal): Promise<void> {
    try {
      const release = await this.#turns.acquire({ signal })
      try {
        await this.#scan(search, budget, signal)
      } finally {
        release()
      }
      await search.finish()
      this.#lost = 0
    } catch (error) {
      search.fail(error)
    }
  }

  /** Runs one search on all threads. However it ends, the threads have stopped afterwards. */
  async #scan(search: PooledSearch, budget: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#ended) throw this.#ended
    const { dictionary, prepared } = search
    const { id, counters } = this.#open(dictionary)
    new Int32Array(dictionary.memoryBuffer, counters, 3).fill(0)
    const stop = () => this.#tell({ kind: 'stop', search: search.id })
    signal.addEventListener('abort', stop)
    this.#running = search
    // Idle threads keep no process alive, threads at work do.
    for (const thread of this.#threads) thread.ref()
    try {
      const stopped = search.begin(this.#threads.length)
      this.#tell({
        kind: 'search',
        dictionary: id,
        search: search.id,
        program: prepared.program,
        blocks: dictionary.blocks,
        longs: dictionary.longs,
        budget: Math.min(MAX_BUDGET, Math.ceil(budget / WORK_UNITS)),
      })
      await stopped
    } finally {
      this.#running = undefined
      signal.removeEventListener('abort', stop)
      // A thread that is being terminated keeps the process alive until it has ended.
      if (!this.#ended) for (const thread of this.#threads) thread.unref()
    }
    signal.throwIfAborted()
  }

  #start(index: number): Worker {
    // Without what was loaded before the program (test tools), it starts in half the time.
    const thread = new Worker(this.#entry, { execArgv: [] })
    let reason: unknown
    thread.on('message', (report: SearchReport) => {
      if (report.search === this.#running?.id) this.#running.report(index, report)
    })
    thread.on('error', (error) => {
      reason = error
    })
    // The last event of a thread, whether it failed, left by itself or was terminated.
    thread.on('exit', () => this.#threadLost(index, reason))
    thread.unref()
    return thread
  }

  /** Ends the search that ran on a lost thread, and replaces the thread. */
  #threadLost(index: number, reason: unknown): void {
    const error = new AlprError('ALPR_ERR_INTERNAL', {}, { cause: reason ?? new Error('a search thread ended') })
    const running = this.#running
    running?.threadLost(index, error)
    if (this.#ended) return
    this.#lost += 1
    if (this.#lost > MAX_LOST) {
      this.#end(error)
      for (const thread of this.#threads) void thread.terminate()
      return
    }
    const thread = this.#start(index)
    this.#threads[index] = thread
    for (const [dictionary, { id, counters }] of this.#opened) thread.postMessage(openTask(dictionary, id, counters))
    // The others need not go on for a search that failed.
    if (running) this.#tell({ kind: 'stop', search: running.id })
  }

  /** The running search, those that wait and all later ones end with `error`. */
  #end(error: AlprError): void {
    this.#ended ??= error
    this.#running?.fail(this.#ended)
    this.#turns.close(this.#ended)
  }

  #open(dictionary: Dictionary): Opened {
    const known = this.#opened.get(dictionary)
    if (known) return known
    const opened = { id: ++this.#ids, counters: dictionary.placeCounter() }
    for (const thread of this.#threads) thread.postMessage(openTask(dictionary, opened.id, opened.counters))
    this.#opened.set(dictionary, opened)
    dictionary.whenFreed(() => {
      this.#opened.delete(dictionary)
      this.#tell({ kind: 'close', dictionary: opened.id })
    })
    return opened
  }

  #tell(task: SearchTask): void {
    for (const thread of this.#threads) thread.postMessage(task)
  }
}

const openTask = (dictionary: Dictionary, id: number, counters: number): SearchTask => ({
  kind: 'open',
  dictionary: id,
  shared: dictionary.share(),
  counters,
})

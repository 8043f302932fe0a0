import { Worker } from 'node:worker_threads'
import type { CompiledList, Matcher } from '../../wasm/mod.js'
import { reasonOf } from '../errors.js'
import { EntryTable } from './entry_table.js'
import type { CompileReport, CompileTask, TaskReport } from './list_compiler_worker.js'

/** The entries of a list and their index. */
export interface CompiledEntries {
  entries: EntryTable
  compiled: CompiledList
}

interface Waiting {
  task: CompileTask
  done(result: CompiledEntries): void
  failed(error: Error): void
  deadline: NodeJS.Timeout
}

/** A thread that reports nothing for this long hangs, ms. A list of five million reports every few milliseconds. */
const SILENT_MS = 30_000
/** The thread ends when it had nothing to do for this long, ms, and its memory with it. */
const IDLE_MS = 10_000

/**
 * Compiles hot lists on a thread of its own. Text and index are handed over, not copied: the main thread only creates
 * the views of the result.
 */
export class ListCompiler {
  private worker: Worker | undefined
  /** The thread listens: a task that is sent earlier may be lost. */
  private ready = false
  private readonly waiting = new Map<number, Waiting>()
  private idle: NodeJS.Timeout | undefined
  private ids = 0
  private closed = false

  /** @param matcher of this thread: it takes the results over */
  constructor(private readonly matcher: Matcher) {}

  /**
   * @param text canonical text of the entries; it is transferred, so the caller has it no more
   * @param version that it must have
   * @throws Error naming what is wrong with it; an Error when the thread ends or hangs
   */
  compile(text: Uint8Array<ArrayBuffer>, version: string): Promise<CompiledEntries> {
    if (this.closed) return Promise.reject(new Error('the engine is closing'))
    clearTimeout(this.idle)
    this.worker ??= this.start()
    const task = { id: this.ids++, version, text }
    return new Promise((done, failed) => {
      const deadline = setTimeout(() => {
        this.end(new Error(`no progress for ${SILENT_MS / 1_000} s`))
      }, SILENT_MS).unref()
      this.waiting.set(task.id, { task, done, failed, deadline })
      if (this.ready) this.send(task)
    })
  }

  close(): void {
    this.closed = true
    clearTimeout(this.idle)
    this.end(new Error('the engine is closing'))
  }

  private start(): Worker {
    const worker = new Worker(new URL('./list_compiler_worker.js', import.meta.url), { execArgv: [] })
    worker.unref()
    worker.on('message', (report: CompileReport) => {
      if (worker !== this.worker) return
      if ('ready' in report) {
        this.ready = true
        for (const { task } of this.waiting.values()) this.send(task)
      } else this.take(report)
    })
    worker.on('error', (error) => this.end(new Error(`the thread failed: ${reasonOf(error)}`), worker))
    worker.on('exit', () => this.end(new Error('the thread ended'), worker))
    return worker
  }

  private send(task: CompileTask): void {
    // An index takes about as many bytes as the text of its entries.
    const memory = this.matcher.module.takeIdle(task.text.length)
    this.worker!.postMessage({ ...task, memory } satisfies CompileTask, [task.text.buffer])
  }

  private take(report: TaskReport): void {
    // The deadlines of all: the thread works on one after the other, or on several in turn.
    for (const { deadline } of this.waiting.values()) deadline.refresh()
    if ('progress' in report) return
    const asked = this.waiting.get(report.id)
    if (!asked) return
    const { done, failed, deadline } = asked
    this.waiting.delete(report.id)
    clearTimeout(deadline)
    if ('failed' in report) failed(new Error(report.failed))
    else {
      const entries = new EntryTable(report.text, report.starts)
      done({ entries, compiled: this.matcher.openList(report.list, entries) })
    }
    if (this.waiting.size === 0) this.idle = setTimeout(() => this.end(new Error('unused')), IDLE_MS).unref()
  }

  /** Ends the thread, if `worker` is the one in use; the next compile starts another. */
  private end(error: Error, worker = this.worker): void {
    if (worker === undefined || worker !== this.worker) return
    this.worker = undefined
    this.ready = false
    void worker.terminate()
    for (const { failed, deadline } of this.waiting.values()) {
      clearTimeout(deadline)
      failed(error)
    }
    this.waiting.clear()
  }
}

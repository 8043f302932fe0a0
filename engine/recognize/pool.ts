import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { loadWasmFile } from '../../wasm/load_node.js'
import { AlprError, reasonOf } from '../errors.js'
import type { Job, Recognition, WorkerMessage, WorkerSetup } from './messages.js'
import { retire } from './retire.js'

export type { Recognition } from './messages.js'

export interface PoolOptions {
  /** Recognition threads. @default the number of cores */
  workers?: number
  /** Time a frame may take in a worker, milliseconds; a slower worker is replaced. @default 2000 */
  timeoutMs?: number
  /**
   * Frames that may wait for a worker; more are an error of the caller, who is expected to respect `slots`.
   * @default 256 per worker: four for each of 64 partitions
   */
  queue?: number
  /**
   * JavaScript heap of a worker, MB; the frame itself is in WASM memory (at most 128 MB) and in the JPEG. @default 192
   */
  heapMb?: number
  /** Module and model. @default the files of the build */
  wasm?: Uint8Array
  model?: Uint8Array
  /** Entry point of the workers; tests use one that fails. */
  entry?: URL
  /** Called with the reason when a worker is replaced. */
  onReplaced?: (reason: string) => void
}

interface QueuedFrame {
  jpeg: Uint8Array
  /** Workers that crashed on this frame. */
  crashes: number
  resolve(recognition: Recognition): void
  reject(error: AlprError): void
}

/** A worker and its frame. */
interface Slot {
  worker: Worker
  /** Shared with the worker: whether it may be terminated now. */
  phase: Int32Array
  ready: boolean
  job: (QueuedFrame & { id: number; timer: NodeJS.Timeout }) | undefined
  /** Starts in a row that ended before `ready`. */
  failures: number
}

/** A frame whose worker crashed is tried once more, in case it did not cause the crash. */
const MAX_CRASHES = 2
/** Failed starts in a row after which the pool gives up. */
const MAX_FAILURES = 5
/** A start that takes longer counts as failed, milliseconds. */
const START_TIMEOUT_MS = 30_000

/**
 * Recognition threads. Every call of `recognize` is answered: with detections, or with an error that says why not. A
 * worker that crashes or takes too long is replaced; queued frames are not affected.
 *
 *     recognize ──► queue (bounded) ──► slot: worker + one frame ──► answer
 *                     ▲                    │ first crash
 *                     └────────────────────┘
 */
export class RecognizerPool {
  /** Number of workers: how many frames are processed at once. */
  readonly slots: number
  #workers: Slot[] = []
  #queue: QueuedFrame[] = []
  #queueLimit: number
  #timeoutMs: number
  #options: PoolOptions
  #files: Omit<WorkerSetup, 'phase'> | undefined
  /** Replaced workers that have not ended yet. */
  #retiring = new Set<Promise<void>>()
  #closed = false
  #broken: AlprError | undefined
  #nextId = 1
  #ids = { moduleId: '', modelId: '' }
  #becomeReady: () => void = () => {}
  #failReady: (error: AlprError) => void = () => {}

  private constructor(options: PoolOptions) {
    this.slots = Math.max(1, options.workers ?? availableParallelism())
    this.#timeoutMs = options.timeoutMs ?? 2_000
    this.#queueLimit = options.queue ?? 256 * this.slots
    this.#options = options
  }

  /** A pool whose workers are all warm. @throws ALPR_ERR_MODEL_INVALID, ALPR_ERR_MODULE_ABI */
  static async create(options: PoolOptions = {}): Promise<RecognizerPool> {
    const pool = new RecognizerPool(options)
    try {
      pool.#files = {
        wasm: options.wasm ?? (await loadWasmFile('recognizer.wasm')),
        model: options.model ?? (await loadWasmFile('platestream.psm')),
      }
    } catch (error) {
      throw new AlprError('ALPR_ERR_MODEL_INVALID', { reason: reasonOf(error) }, { cause: error })
    }
    const ready = new Promise<void>((resolve, reject) => {
      pool.#becomeReady = resolve
      pool.#failReady = reject
    })
    pool.#workers = Array.from({ length: pool.slots }, () => pool.#start(0))
    await ready
    return pool
  }

  /** First 16 hex digits of the SHA-256 of the WASM module and of the model: stored with each read. */
  get module(): string {
    return this.#ids.moduleId
  }

  get model(): string {
    return this.#ids.modelId
  }

  /** Frames queued or in a worker. */
  get pending(): number {
    return this.#queue.length + this.#workers.filter((slot) => slot.job).length
  }

  /** Frames that a worker can start on now. */
  get free(): number {
    return Math.max(0, this.slots - this.pending)
  }

  /**
   * Decodes a JPEG and finds and reads the plates in it. Copies the bytes; the caller keeps its own.
   * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE, _TIMEOUT, _CRASHED;
   *   ALPR_ERR_INTERNAL when the queue is full or the pool closed
   */
  recognize(jpeg: Uint8Array): Promise<Recognition> {
    if (this.#broken) return Promise.reject(this.#broken)
    if (this.#closed)
      return Promise.reject(new AlprError('ALPR_ERR_INTERNAL', { reason: 'the recognizer pool is closed' }))
    if (this.#queue.length >= this.#queueLimit) {
      return Promise.reject(
        new AlprError('ALPR_ERR_INTERNAL', {
          reason: `${this.#queue.length} frames are queued for a worker`,
          limit: this.#queueLimit,
        }),
      )
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ jpeg, crashes: 0, resolve, reject })
      this.#assign()
    })
  }

  /** Ends the workers. Rejects frames that are queued or in work; await their answers first to get them. */
  async close(): Promise<void> {
    this.#closed = true
    const error = new AlprError('ALPR_ERR_INTERNAL', { reason: 'the recognizer pool is closed' })
    this.#failReady(error)
    this.#rejectAll(error)
    for (const slot of this.#workers.splice(0)) this.#retire(slot)
    await Promise.all(this.#retiring)
  }

  /** Starts a worker and handles its messages. */
  #start(failures: number): Slot {
    const phase = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(this.#options.entry ?? new URL('./worker.js', import.meta.url), {
      workerData: { ...this.#files!, phase } satisfies WorkerSetup,
      resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMb ?? 192 },
    })
    const slot: Slot = { worker, phase, ready: false, job: undefined, failures }
    const startTimer = setTimeout(() => this.#replace(slot, 'the start took too long'), START_TIMEOUT_MS)
    startTimer.unref()
    worker.on('message', (message: WorkerMessage) => {
      clearTimeout(startTimer)
      this.#take(slot, message)
    })
    worker.on('error', (error) => this.#replace(slot, reasonOf(error)))
    worker.on('exit', (code) => {
      clearTimeout(startTimer)
      this.#replace(slot, `the worker ended with code ${code}`)
    })
    return slot
  }

  #take(slot: Slot, message: WorkerMessage): void {
    if ('ready' in message) {
      slot.ready = true
      slot.failures = 0
      this.#ids = message.ready
      if (this.#workers.every((other) => other.ready)) this.#becomeReady()
    } else if ('failed' in message) {
      this.#break(new AlprError(message.failed.code, message.failed.details))
      return
    } else {
      const job = slot.job
      if (!job || job.id !== message.id) return
      clearTimeout(job.timer)
      slot.job = undefined
      if ('error' in message) job.reject(new AlprError(message.error.code, message.error.details))
      else job.resolve({ width: message.width, height: message.height, ms: message.ms, detections: message.detections })
    }
    this.#assign()
  }

  #assign(): void {
    for (const slot of this.#workers) {
      if (!slot.ready || slot.job) continue
      const next = this.#queue.shift()
      if (!next) return
      const id = this.#nextId++
      const timer = setTimeout(() => this.#timeOut(slot), this.#timeoutMs)
      slot.job = { ...next, id, timer }
      // A copy to transfer: the caller's bytes are often a view of a larger buffer.
      const copy = new Uint8Array(next.jpeg).buffer
      slot.worker.postMessage({ id, jpeg: copy } satisfies Job, [copy])
    }
  }

  #timeOut(slot: Slot): void {
    const job = slot.job
    slot.job = undefined
    job?.reject(new AlprError('ALPR_ERR_FRAME_TIMEOUT', { limit: this.#timeoutMs }))
    this.#replace(slot, `a frame took longer than ${this.#timeoutMs} ms`)
  }

  /** Replaces a worker that has failed; its frame is retried or rejected. */
  #replace(slot: Slot, reason: string): void {
    const index = this.#workers.indexOf(slot)
    if (index < 0 || this.#closed || this.#broken) return
    const job = slot.job
    if (job) {
      clearTimeout(job.timer)
      slot.job = undefined
      job.crashes += 1
      if (job.crashes >= MAX_CRASHES) job.reject(new AlprError('ALPR_ERR_FRAME_CRASHED', { reason }))
      else this.#queue.unshift(job)
    }
    const failures = slot.ready ? 0 : slot.failures + 1
    if (failures >= MAX_FAILURES) {
      this.#break(new AlprError('ALPR_ERR_MODEL_INVALID', { reason: `recognition workers do not start: ${reason}` }))
      return
    }
    this.#options.onReplaced?.(reason)
    this.#workers[index] = this.#start(failures)
    this.#retire(slot)
  }

  #retire(slot: Slot): void {
    const done = retire(slot.worker, slot.phase).finally(() => this.#retiring.delete(done))
    this.#retiring.add(done)
  }

  /** No worker starts: rejects every queued and later frame with the reason. */
  #break(error: AlprError): void {
    if (this.#broken) return
    this.#broken = error
    this.#failReady(error)
    this.#rejectAll(error)
    for (const slot of this.#workers.splice(0)) this.#retire(slot)
  }

  #rejectAll(error: AlprError): void {
    for (const frame of this.#queue.splice(0)) frame.reject(error)
    for (const slot of this.#workers) {
      if (!slot.job) continue
      clearTimeout(slot.job.timer)
      slot.job.reject(error)
      slot.job = undefined
    }
  }
}

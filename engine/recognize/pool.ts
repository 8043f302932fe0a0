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
  /** Time a frame may take in a worker, milliseconds; over it the worker is replaced. @default 2000 */
  timeoutMs?: number
  /**
   * Frames that may wait for a worker; more are a mistake of the caller, who looks at `slots` first. @default 256 per
   * worker: four for each of 64 partitions
   */
  queue?: number
  /**
   * JavaScript heap of a worker, MB; the frame itself lies in WASM memory (at most 128 MB) and in the JPEG. @default
   * 192
   */
  heapMb?: number
  /** Module and model; the files of the build when left out. */
  wasm?: Uint8Array
  model?: Uint8Array
  /** Entry of the workers; tests give one that fails. */
  entry?: URL
  /** Called when a worker was replaced, with the reason. */
  onReplaced?: (reason: string) => void
}

interface Waiting {
  jpeg: Uint8Array
  /** Crashes this frame was in. */
  crashes: number
  resolve(recognition: Recognition): void
  reject(error: AlprError): void
}

/** A worker, and the frame it has. */
interface Seat {
  worker: Worker
  /** Shared with the worker: whether it may be ended now. */
  phase: Int32Array
  ready: boolean
  job: (Waiting & { id: number; timer: NodeJS.Timeout }) | undefined
  /** Starts that ended before `ready`, one after the other. */
  failures: number
}

/** A frame that was in the worker when it crashed is tried once more, in case the crash was not its doing. */
const MAX_CRASHES = 2
/** Starts of one worker in a row that may fail before the pool gives up. */
const MAX_FAILURES = 5
/** A start that takes longer is taken for dead, milliseconds. */
const START_TIMEOUT_MS = 30_000

/**
 * Recognition threads. Every frame given to `recognize` is answered: with what was found, or with an error that says
 * why not. A worker that crashes or takes too long is replaced; the frames that wait are not touched by it.
 *
 *     recognize ──► waiting (bounded) ──► seat: worker + one frame ──► answer
 *                      ▲                     │ crash, first time
 *                      └─────────────────────┘
 */
export class RecognizerPool {
  /** Number of workers: how many frames make progress at once. */
  readonly slots: number
  #seats: Seat[] = []
  #waiting: Waiting[] = []
  #queueLimit: number
  #timeoutMs: number
  #options: PoolOptions
  #files: Omit<WorkerSetup, 'phase'> | undefined
  /** Workers that were replaced and still have to end. */
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
    pool.#seats = Array.from({ length: pool.slots }, () => pool.#seat(0))
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

  /** Frames waiting or in a worker. */
  get pending(): number {
    return this.#waiting.length + this.#seats.filter((seat) => seat.job).length
  }

  /** Frames that can be given now without waiting for a worker. */
  get free(): number {
    return Math.max(0, this.slots - this.pending)
  }

  /**
   * Decodes a JPEG and finds and reads the plates in it. The bytes are copied, the caller keeps its own.
   * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE, _TIMEOUT, _CRASHED;
   *   ALPR_ERR_INTERNAL when the queue is full or the pool closed
   */
  recognize(jpeg: Uint8Array): Promise<Recognition> {
    if (this.#broken) return Promise.reject(this.#broken)
    if (this.#closed)
      return Promise.reject(new AlprError('ALPR_ERR_INTERNAL', { reason: 'the recognizer pool is closed' }))
    if (this.#waiting.length >= this.#queueLimit) {
      return Promise.reject(
        new AlprError('ALPR_ERR_INTERNAL', {
          reason: `${this.#waiting.length} frames wait for a worker`,
          limit: this.#queueLimit,
        }),
      )
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ jpeg, crashes: 0, resolve, reject })
      this.#assign()
    })
  }

  /** Ends the workers. Frames that wait or are in work are rejected; who wants their answers awaits them first. */
  async close(): Promise<void> {
    this.#closed = true
    const error = new AlprError('ALPR_ERR_INTERNAL', { reason: 'the recognizer pool is closed' })
    this.#failReady(error)
    this.#rejectAll(error)
    for (const seat of this.#seats.splice(0)) this.#retire(seat)
    await Promise.all(this.#retiring)
  }

  /** Starts a worker and listens to it. */
  #seat(failures: number): Seat {
    const phase = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(this.#options.entry ?? new URL('./worker.js', import.meta.url), {
      workerData: { ...this.#files!, phase } satisfies WorkerSetup,
      resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMb ?? 192 },
    })
    const seat: Seat = { worker, phase, ready: false, job: undefined, failures }
    const startTimer = setTimeout(() => this.#replace(seat, 'the start took too long'), START_TIMEOUT_MS)
    startTimer.unref()
    worker.on('message', (message: WorkerMessage) => {
      clearTimeout(startTimer)
      this.#take(seat, message)
    })
    worker.on('error', (error) => this.#replace(seat, reasonOf(error)))
    worker.on('exit', (code) => {
      clearTimeout(startTimer)
      this.#replace(seat, `the worker ended with code ${code}`)
    })
    return seat
  }

  #take(seat: Seat, message: WorkerMessage): void {
    if ('ready' in message) {
      seat.ready = true
      seat.failures = 0
      this.#ids = message.ready
      if (this.#seats.every((other) => other.ready)) this.#becomeReady()
    } else if ('failed' in message) {
      this.#break(new AlprError(message.failed.code, message.failed.details))
      return
    } else {
      const job = seat.job
      if (!job || job.id !== message.id) return
      clearTimeout(job.timer)
      seat.job = undefined
      if ('error' in message) job.reject(new AlprError(message.error.code, message.error.details))
      else job.resolve({ width: message.width, height: message.height, ms: message.ms, detections: message.detections })
    }
    this.#assign()
  }

  #assign(): void {
    for (const seat of this.#seats) {
      if (!seat.ready || seat.job) continue
      const next = this.#waiting.shift()
      if (!next) return
      const id = this.#nextId++
      const timer = setTimeout(() => this.#timeOut(seat), this.#timeoutMs)
      seat.job = { ...next, id, timer }
      // a copy to give away: the caller's bytes are often a view into a larger buffer
      const copy = new Uint8Array(next.jpeg).buffer
      seat.worker.postMessage({ id, jpeg: copy } satisfies Job, [copy])
    }
  }

  #timeOut(seat: Seat): void {
    const job = seat.job
    seat.job = undefined
    job?.reject(new AlprError('ALPR_ERR_FRAME_TIMEOUT', { limit: this.#timeoutMs }))
    this.#replace(seat, `a frame took longer than ${this.#timeoutMs} ms`)
  }

  /** Puts a new worker in the place of one that is no good any more; its frame is tried again or rejected. */
  #replace(seat: Seat, reason: string): void {
    const place = this.#seats.indexOf(seat)
    if (place < 0 || this.#closed || this.#broken) return
    const job = seat.job
    if (job) {
      clearTimeout(job.timer)
      seat.job = undefined
      job.crashes += 1
      if (job.crashes >= MAX_CRASHES) job.reject(new AlprError('ALPR_ERR_FRAME_CRASHED', { reason }))
      else this.#waiting.unshift(job)
    }
    const failures = seat.ready ? 0 : seat.failures + 1
    if (failures >= MAX_FAILURES) {
      this.#break(new AlprError('ALPR_ERR_MODEL_INVALID', { reason: `recognition workers do not start: ${reason}` }))
      return
    }
    this.#options.onReplaced?.(reason)
    this.#seats[place] = this.#seat(failures)
    this.#retire(seat)
  }

  #retire(seat: Seat): void {
    const done = retire(seat.worker, seat.phase).finally(() => this.#retiring.delete(done))
    this.#retiring.add(done)
  }

  /** No worker can be had: everything that waits and will come is rejected with the reason. */
  #break(error: AlprError): void {
    if (this.#broken) return
    this.#broken = error
    this.#failReady(error)
    this.#rejectAll(error)
    for (const seat of this.#seats.splice(0)) this.#retire(seat)
  }

  #rejectAll(error: AlprError): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
    for (const seat of this.#seats) {
      if (!seat.job) continue
      clearTimeout(seat.job.timer)
      seat.job.reject(error)
      seat.job = undefined
    }
  }
}

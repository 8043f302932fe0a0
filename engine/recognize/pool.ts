import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { loadWasmFile } from '../../wasm/load_node.js'
import { AlprError, logReasonOf, reasonOf } from '../errors.js'
import { FairQueue, type Started } from './fair_queue.js'
import type { Job, Recognition, WorkerMessage, WorkerSetup } from './messages.js'
import { retire } from './retire.js'
import { Withdrawn } from './withdrawn.js'

export type { Recognition } from './messages.js'

export interface PoolOptions {
  /** Recognition threads. @default the number of cores */
  workers?: number
  /**
   * Time a frame may take in a worker while this process runs, milliseconds; a slower worker is replaced.
   * @default 2000
   */
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
  /** Called with the reason while no worker starts, and with undefined when one does again. */
  onStuck?: (reason: string | undefined) => void
}

interface QueuedFrame {
  jpeg: Uint8Array
  /** Workers that crashed on this frame or took too long. */
  failures: number
  resolve(recognition: Recognition): void
  reject(error: AlprError | Withdrawn): void
}

interface FrameInWork {
  id: number
  started: Started<QueuedFrame>
  /** When it was given to the worker, monotonic, ms. */
  startedAt: number
  /** Time it has taken as far as this process ran, ms. */
  spentMs: number
}

/** A worker and its frame. */
interface Slot {
  worker: Worker
  /** Shared with the worker: whether it may be terminated now. */
  phase: Int32Array
  ready: boolean
  /** Starts the next worker: this one has ended. */
  restart: NodeJS.Timeout | undefined
  job: FrameInWork | undefined
  /** Starts in a row that ended before `ready`. */
  failures: number
}

/** A frame whose worker crashed or took too long is tried once more, in case it was not the cause. */
const MAX_FRAME_FAILURES = 2
/** Failed starts in a row after which a new pool gives up, and a running one waits before the next. */
const MAX_FAILURES = 5
const RESTART_PAUSE_MS = 5_000
/**
 * The time of frames is counted in steps: at most this long, ms, and at least ten in the time that a frame may take. A
 * step that takes longer, because this process or its machine was paused, counts as MAX_STEPS of them: a pause says
 * nothing about a frame.
 */
const STEP_MS = 100
const MAX_STEPS = 3
/** A start that takes longer counts as failed, milliseconds. */
const START_TIMEOUT_MS = 30_000

/**
 * Recognition threads. Every call of `recognize` is answered: with detections, or with an error about the frame. A
 * worker that crashes or takes too long is replaced; queued frames are not affected. When no worker starts any more
 * (memory), frames wait: that is no verdict about them. Cameras share the workers' time equally: one whose frames take
 * thirty times as long has one of them read where others have thirty.
 *
 *     recognize ──► queue (bounded, fair) ──► slot: worker + one frame ──► answer
 *                     ▲                           │ first crash
 *                     └───────────────────────────┘
 */
export class RecognizerPool {
  /** Number of workers: how many frames are processed at once. */
  readonly slots: number
  #workers: Slot[] = []
  readonly #queue = new FairQueue<QueuedFrame>()
  #queueLimit: number
  #timeoutMs: number
  #options: PoolOptions
  #files: Omit<WorkerSetup, 'phase'> | undefined
  /** Replaced workers that have not ended yet. */
  #retiring = new Set<Promise<void>>()
  #closed = false
  #broken: AlprError | undefined
  #nextId = 1
  #wasReady = false
  #stepping: NodeJS.Timeout | undefined
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
    return this.#queue.size + this.#workers.filter((slot) => slot.job).length
  }

  /** Frames that a worker can start on now. */
  get free(): number {
    return Math.max(0, this.slots - this.pending)
  }

  /** What a frame of this camera usually takes in a worker, ms. */
  costOf(camera: string): number {
    return this.#queue.costOf(camera)
  }

  /**
   * Takes a frame back that no worker has begun with: its `recognize` rejects with Withdrawn.
   * @returns false when it is too late
   */
  withdraw(jpeg: Uint8Array, camera: string): boolean {
    return this.#queue.remove(camera, (frame) => {
      if (frame.jpeg !== jpeg) return false
      frame.reject(new Withdrawn())
      return true
    })
  }

  /**
   * Decodes a JPEG and finds and reads the plates in it. Copies the bytes; the caller keeps its own.
   * @param camera whose share of the workers' time it takes
   * @throws Withdrawn
   * @throws ALPR_ERR_FRAME_EMPTY, _NOT_JPEG, _TRUNCATED, _CORRUPT, _TOO_SMALL, _TOO_LARGE, _TIMEOUT, _CRASHED;
   *   ALPR_ERR_INTERNAL when the queue is full or the pool closed
   */
  recognize(jpeg: Uint8Array, camera = ''): Promise<Recognition> {
    if (this.#broken) return Promise.reject(this.#broken)
    if (this.#closed)
      return Promise.reject(new AlprError('ALPR_ERR_INTERNAL', { reason: 'the recognizer pool is closed' }))
    if (this.#queue.size >= this.#queueLimit) {
      return Promise.reject(
        new AlprError('ALPR_ERR_INTERNAL', {
          reason: `${this.#queue.size} frames are queued for a worker`,
          limit: this.#queueLimit,
        }),
      )
    }
    return new Promise((resolve, reject) => {
      this.#queue.push(camera, { jpeg, failures: 0, resolve, reject })
      this.#assign()
    })
  }

  /** Ends the workers. Rejects frames that are queued or in work; await their answers first to get them. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#stepping)
    const error = new AlprError('ALPR_ERR_INTERNAL', { reason: 'the recognizer pool is closed' })
    this.#failReady(error)
    this.#rejectAll(error)
    for (const slot of this.#workers.splice(0)) {
      clearTimeout(slot.restart)
      this.#retire(slot)
    }
    await Promise.all(this.#retiring)
  }

  /** Starts a worker and handles its messages. */
  #start(failures: number): Slot {
    const phase = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(this.#options.entry ?? new URL('./worker.js', import.meta.url), {
      workerData: { ...this.#files!, phase } satisfies WorkerSetup,
      resourceLimits: { maxOldGenerationSizeMb: this.#options.heapMb ?? 192 },
    })
    const slot: Slot = { worker, phase, ready: false, restart: undefined, job: undefined, failures }
    const startTimer = setTimeout(() => this.#replace(slot, 'the start took too long'), START_TIMEOUT_MS)
    startTimer.unref()
    worker.on('message', (message: WorkerMessage) => {
      clearTimeout(startTimer)
      this.#take(slot, message)
    })
    worker.on('error', (error) => this.#replace(slot, logReasonOf(error)))
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
      this.#options.onStuck?.(undefined)
      if (this.#workers.every((other) => other.ready)) {
        this.#wasReady = true
        this.#becomeReady()
      }
    } else if ('failed' in message) {
      const error = new AlprError(message.failed.code, message.failed.details)
      if (this.#wasReady) this.#replace(slot, error.message)
      else this.#break(error)
      return
    } else {
      const job = slot.job
      if (!job || job.id !== message.id) return
      slot.job = undefined
      const { job: frame, end } = job.started
      end(performance.now() - job.startedAt)
      if ('error' in message) frame.reject(errorOf(message.error))
      else frame.resolve(recognitionOf(message))
    }
    this.#assign()
  }

  #assign(): void {
    for (const slot of this.#workers) {
      if (!slot.ready || slot.job) continue
      const next = this.#queue.shift()
      if (!next) return
      const id = this.#nextId++
      slot.job = { id, started: next, startedAt: performance.now(), spentMs: 0 }
      this.#step()
      // A copy to transfer: the caller's bytes are often a view of a larger buffer.
      const copy = new Uint8Array(next.job.jpeg).buffer
      slot.worker.postMessage({ id, jpeg: copy } satisfies Job, [copy])
    }
  }

  /** Counts the time of the frames in work, as long as there are any. */
  #step(): void {
    if (this.#stepping) return
    const length = Math.max(1, Math.min(STEP_MS, this.#timeoutMs / 10))
    let last = performance.now()
    this.#stepping = setInterval(() => {
      const now = performance.now()
      const step = Math.min(now - last, MAX_STEPS * length)
      last = now
      for (const slot of [...this.#workers]) {
        if (!slot.job) continue
        slot.job.spentMs += step
        if (slot.job.spentMs >= this.#timeoutMs) this.#timeOut(slot)
      }
      if (this.#workers.some(({ job }) => job)) return
      clearInterval(this.#stepping)
      this.#stepping = undefined
    }, length)
    this.#stepping.unref()
  }

  #timeOut(slot: Slot): void {
    this.#retryOrReject(slot, new AlprError('ALPR_ERR_FRAME_TIMEOUT', { limit: this.#timeoutMs }))
    this.#replace(slot, `a frame took longer than ${this.#timeoutMs} ms`)
  }

  #retryOrReject(slot: Slot, error: AlprError): void {
    const { job } = slot
    slot.job = undefined
    if (!job) return
    const { job: frame, flow, end } = job.started
    end(job.spentMs)
    frame.failures += 1
    if (frame.failures >= MAX_FRAME_FAILURES) frame.reject(error)
    else this.#queue.pushFirst(flow, frame)
  }

  /** Replaces a worker that has failed; its frame is retried or rejected. */
  #replace(slot: Slot, reason: string): void {
    const index = this.#workers.indexOf(slot)
    if (index < 0 || slot.restart || this.#closed || this.#broken) return
    this.#retryOrReject(slot, new AlprError('ALPR_ERR_FRAME_CRASHED', { reason }))
    const failures = slot.ready ? 0 : slot.failures + 1
    if (failures >= MAX_FAILURES && !this.#wasReady) {
      this.#break(new AlprError('ALPR_ERR_MODEL_INVALID', { reason: `recognition workers do not start: ${reason}` }))
      return
    }
    this.#options.onReplaced?.(reason)
    this.#retire(slot)
    if (failures < MAX_FAILURES) {
      this.#workers[index] = this.#start(failures)
      return
    }
    this.#options.onStuck?.(`recognition threads do not start: ${reason}`)
    slot.ready = false
    slot.restart = setTimeout(() => {
      this.#workers[this.#workers.indexOf(slot)] = this.#start(failures)
    }, RESTART_PAUSE_MS)
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
    for (const frame of this.#queue.clear()) frame.reject(error)
    for (const slot of this.#workers) {
      if (!slot.job) continue
      slot.job.started.job.reject(error)
      slot.job = undefined
    }
  }
}

const recognitionOf = ({ width, height, ms, detections, damaged }: Recognition): Recognition => ({
  width,
  height,
  ms,
  detections,
  damaged,
})

/** An error without a code of its own is a defect that this frame brought to light. */
const errorOf = ({ code, message, details }: Extract<WorkerMessage, { error: unknown }>['error']): AlprError =>
  code === 'ALPR_ERR_INTERNAL'
    ? new AlprError('ALPR_ERR_FRAME_CRASHED', { reason: message })
    : new AlprError(code, details)

import { Observable } from '../shared/observable.js'
import type { RecognitionFault, RecognitionJob, RecognitionResult, WorkerMessage } from './worker_protocol.js'

/** A picture that was dropped, chosen or pasted. It has a result or a fault once the worker is done with it. */
export interface SubmittedPicture {
  id: number
  name: string
  file: Blob
  result?: RecognitionResult
  fault?: RecognitionFault
}

export type Readiness =
  | { state: 'loading' }
  | { state: 'ready'; module: string; model: string; name: string }
  | { state: 'failed'; fault: RecognitionFault }

/** Pictures kept on the page; older ones are removed. */
const MAX_PICTURES = 24

/** The pictures on this page and the worker that reads them. */
export class Recognition {
  readonly readiness = new Observable<Readiness>({ state: 'loading' })
  /** Newest first. */
  readonly pictures = new Observable<SubmittedPicture[]>([])
  readonly #worker: Worker
  #nextId = 1

  constructor(worker: Worker) {
    this.#worker = worker
    worker.addEventListener('message', ({ data }: MessageEvent<WorkerMessage>) => this.#take(data))
    worker.addEventListener('error', ({ message }) => this.#fail(message || 'the worker could not start'))
  }

  add(files: Iterable<Blob>): void {
    for (const file of files) {
      const job: RecognitionJob = { id: this.#nextId++, file }
      const name = file instanceof File && file.name !== '' ? file.name : 'pasted picture'
      this.pictures.update((all) => [{ ...job, name }, ...all].slice(0, MAX_PICTURES))
      this.#worker.postMessage(job)
    }
  }

  clear(): void {
    this.pictures.set([])
  }

  #take(message: WorkerMessage): void {
    if ('ready' in message) this.readiness.set({ state: 'ready', ...message.ready })
    else if ('failed' in message) this.readiness.set({ state: 'failed', fault: message.failed })
    else
      this.pictures.update((all) =>
        all.map((picture) => (picture.id === message.id ? { ...picture, ...message } : picture)),
      )
  }

  /** The worker is gone: no waiting picture will get a result. */
  #fail(message: string): void {
    const fault: RecognitionFault = { message, details: {} }
    this.readiness.set({ state: 'failed', fault })
    this.pictures.update((all) =>
      all.map((picture) => (picture.result || picture.fault ? picture : { ...picture, fault })),
    )
  }
}

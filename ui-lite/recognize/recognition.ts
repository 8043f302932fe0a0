import type { Answer, Fault, WorkerMessage } from './worker_protocol.js'
import { Store } from '../shared/observable.js'

/** A picture that was dropped, chosen or pasted. */
export interface Picture {
  id: number
  name: string
  file: Blob
  answer?: Answer
  fault?: Fault
}

export type Readiness =
  | { state: 'loading' }
  | { state: 'ready'; module: string; model: string; name: string }
  | { state: 'failed'; fault: Fault }

/** Pictures kept on the page; older ones go. */
const MOST_PICTURES = 24

/** The pictures of this page and the worker that reads them. */
export class Recognition {
  readonly readiness = new Store<Readiness>({ state: 'loading' })
  /** Newest first. */
  readonly pictures = new Store<Picture[]>([])
  #worker: Worker
  #nextId = 1

  constructor(private readonly open: () => Worker) {
    this.#worker = this.#start()
  }

  add(files: Iterable<Blob>): void {
    for (const file of files) {
      const picture: Picture = {
        id: this.#nextId++,
        name: file instanceof File && file.name !== '' ? file.name : 'pasted picture',
        file,
      }
      this.pictures.update((all) => [picture, ...all].slice(0, MOST_PICTURES))
      this.#worker.postMessage({ id: picture.id, file })
    }
  }

  clear(): void {
    this.pictures.set([])
  }

  #start(): Worker {
    const worker = this.open()
    worker.addEventListener('message', ({ data }: MessageEvent<WorkerMessage>) => this.#take(data))
    worker.addEventListener('error', (event) => {
      const fault: Fault = { message: event.message || 'the worker could not be started', details: {} }
      this.readiness.set({ state: 'failed', fault })
      this.pictures.update((all) =>
        all.map((picture) => (picture.answer || picture.fault ? picture : { ...picture, fault })),
      )
    })
    return worker
  }

  #take(message: WorkerMessage): void {
    if ('ready' in message) this.readiness.set({ state: 'ready', ...message.ready })
    else if ('failed' in message) this.readiness.set({ state: 'failed', fault: message.failed })
    else
      this.pictures.update((all) =>
        all.map((picture) => (picture.id === message.id ? { ...picture, ...message } : picture)),
      )
  }
}

import { Observable } from '../shared/observable.js'
import type { GapMessage, GatewayMessage, HitMessage, ReadMessage, StatusMessage } from '../shared/protocol.js'

const MAX_HITS = 200
const MAX_READS = 200
const MAX_GAPS = 5

export interface ShownHit {
  hit: HitMessage
  /** In the stream before the page opened, so it is not announced. */
  replayed: boolean
  /**
   * From capture to the first revision received, milliseconds. Later revisions (the pass ends) say nothing about how
   * fast the hit was.
   */
  delayMs: number
}

/** What the page shows: bounded lists, newest first. A new revision of a hit or a read replaces the previous one. */
export class Board {
  readonly hits = new Observable<readonly ShownHit[]>([], 50)
  readonly reads = new Observable<readonly ReadMessage[]>([], 250)
  readonly status = new Observable<StatusMessage | undefined>(undefined)
  readonly gaps = new Observable<readonly GapMessage[]>([])
  /** Hits that arrived since the page opened, for the screen reader. */
  readonly arrivals = new Observable({ hits: 0, high: 0 }, 50)
  /** Last sequence of the stream when the page opened. */
  #lastAtOpen: number | undefined
  #epoch = ''

  /** Applies a message of the gateway. */
  take(message: GatewayMessage): void {
    switch (message.type) {
      case 'hello':
        if (this.#lastAtOpen === undefined || this.#epoch !== message.epoch) this.#lastAtOpen = message.last
        this.#epoch = message.epoch
        break
      case 'hit':
        this.#hit(message)
        break
      case 'read':
        this.addReads([message])
        break
      case 'status':
        this.status.set(message)
        break
      case 'gap':
        this.gaps.update((gaps) => [...gaps, message].slice(-MAX_GAPS))
        break
    }
  }

  dismissGaps(): void {
    this.gaps.set([])
  }

  /** Adds reads, oldest first. */
  addReads(reads: ReadMessage[]): void {
    this.reads.update((shown) => {
      let list = [...shown]
      for (const read of reads) {
        const at = list.findIndex((other) => other.readId === read.readId)
        if (at < 0) list = [read, ...list]
        else if (list[at]!.version <= read.version) list[at] = read
      }
      return list.slice(0, MAX_READS)
    })
  }

  #hit(hit: HitMessage): void {
    const replayed = hit.seq <= (this.#lastAtOpen ?? 0)
    let isNew = false
    this.hits.update((shown) => {
      const at = shown.findIndex((other) => other.hit.hitId === hit.hitId)
      if (at >= 0) {
        if (shown[at]!.hit.revision >= hit.revision) return shown
        return shown.map((other, i) => (i === at ? { ...other, hit } : other))
      }
      isNew = true
      const delayMs = Date.parse(hit.publishedAt) - Date.parse(hit.tsLast)
      return [{ hit, replayed, delayMs }, ...shown].slice(0, MAX_HITS)
    })
    if (isNew && !replayed) {
      this.arrivals.update(({ hits, high }) => ({ hits: hits + 1, high: high + Number(hit.priority === 'high') }))
    }
  }
}

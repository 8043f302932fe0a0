import type { GapMessage, GatewayMessage, HitMessage, ReadMessage, StatusMessage } from '../../gateway/live/protocol.js'
import { Store } from './store.js'

export const MAX_HITS = 200
export const MAX_READS = 200
const MAX_GAPS = 5

export interface ShownHit {
  hit: HitMessage
  /** Wall clock of its first revision's arrival, milliseconds. */
  arrived: number
  /** Came with the first look back, so it is no news. */
  old: boolean
  /**
   * From the capture to the first revision seen, milliseconds; later ones (the pass closes) say nothing about how fast
   * the hit was.
   */
  delayMs: number
}

/**
 * What the page shows: bounded lists, newest first. A new revision of a hit or a read takes the place of the old one.
 */
export class Board {
  readonly hits = new Store<readonly ShownHit[]>([], 50)
  readonly reads = new Store<readonly ReadMessage[]>([], 250)
  readonly status = new Store<StatusMessage | undefined>(undefined)
  readonly gaps = new Store<readonly GapMessage[]>([])
  /** Hits that arrived since the page opened, for the spoken summary. */
  readonly news = new Store({ hits: 0, high: 0 }, 50)
  /** Last sequence of the stream when the page opened; hits up to it are old. */
  #opened: number | undefined
  #epoch = ''

  take(message: GatewayMessage): void {
    switch (message.type) {
      case 'hello':
        if (this.#opened === undefined || this.#epoch !== message.epoch) this.#opened = message.last
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
    const old = hit.seq <= (this.#opened ?? 0)
    let isNew = false
    this.hits.update((shown) => {
      const at = shown.findIndex((other) => other.hit.hitId === hit.hitId)
      if (at >= 0) {
        if (shown[at]!.hit.revision >= hit.revision) return shown
        return shown.map((other, i) => (i === at ? { ...other, hit } : other))
      }
      isNew = true
      return [
        { hit, arrived: Date.now(), old, delayMs: Date.parse(hit.publishedAt) - Date.parse(hit.tsLast) },
        ...shown,
      ].slice(0, MAX_HITS)
    })
    if (isNew && !old) {
      this.news.update(({ hits, high }) => ({ hits: hits + 1, high: high + Number(hit.priority === 'high') }))
    }
  }
}

import { headers } from 'nats'
import { deadLetter } from '../dead_letters/publish.js'
import type { Camera } from '../model/camera.js'
import type { Hit } from '../model/hit.js'
import { dueForCheck, makeHits, worthChecking } from '../hits/hit_maker.js'
import type { Refused } from '../sources/source.js'
import { liveReadOf } from '../model/live_read.js'
import { HEADER, hitsSubject, readsSubject } from '../nats/topology.js'
import type { Epoch } from './epoch.js'
import type { Progress } from './progress.js'
import type { StreamMessage } from '../partition/partition_consumer.js'
import type { OpenPass } from '../passes/pass.js'
import type { PipelineParts } from './pipeline_parts.js'
import type { Read } from '../model/read.js'

/** A pass that goes on (a parked car) is stored again at least this often. Event time. */
const EXTEND_MS = 60_000
/** Reads of one checkpoint of a partition that are shown live. */
const MAX_SHOWN = 500

/**
 * What leaves a partition: hits and dead letters onto JetStream at once, reads into the epoch that the next checkpoint
 * writes. Everything is decided in the moment of the call, in stream order; pictures and publishing follow as work of
 * the epoch.
 */
export class Sink {
  /** At how many frames a pass has been stored, and until when; only for storing early. */
  private readonly stored = new WeakMap<OpenPass, { frames: number; ts: number }>()
  /** Revisions of one pass go out one after the other. */
  private readonly publishing = new WeakMap<OpenPass, Promise<void>>()

  constructor(
    private readonly parts: PipelineParts,
    private readonly progress: Progress,
  ) {}

  /**
   * An open pass took a detection: hits do not wait for it to close; a pass that goes on and on is stored in between.
   */
  checkEarly(pass: OpenPass, camera: Camera): void {
    const since = this.stored.get(pass)?.ts ?? pass.state.first.ts
    if (pass.state.last.ts - since >= EXTEND_MS) return this.enqueue(pass, camera, false)
    if (!dueForCheck(pass.state.frames)) return
    const read = pass.toRead(camera, this.parts.provenance())
    if (!worthChecking(pass, read.confidence)) return
    const hits = this.hitsOf(pass, read, camera, false)
    if (hits.length > 0) this.finish(pass, read, hits, false)
  }

  /**
   * Stores the read as it stands; when the pass closes, with the last word on its hits. What came to rest and closes
   * without another detection is stored already, and stays so: a second row would count it twice in the rollups, and
   * show it twice to those who look. With news of its hits it is stored again, because reads are shown with the hits of
   * their own checkpoint.
   */
  enqueue(pass: OpenPass, camera: Camera, closing: boolean): void {
    const done = this.isStored(pass)
    const read = pass.toRead(camera, this.parts.provenance())
    // Nobody asks again for one that is over; most of those that cameras send are over at once.
    if (!closing) this.stored.set(pass, { frames: pass.state.frames, ts: pass.state.last.ts })
    const hits = this.hitsOf(pass, read, camera, closing)
    this.finish(pass, read, hits, !done || hits.length > 0)
  }

  /** Stores a pass that came to rest. @returns false when that has been done */
  storeResting(pass: OpenPass, camera: Camera): boolean {
    if (this.isStored(pass)) return false
    this.enqueue(pass, camera, false)
    return true
  }

  private isStored(pass: OpenPass): boolean {
    return this.stored.get(pass)?.frames === pass.state.frames
  }

  /** What cannot be processed goes to DEAD with its reason. */
  deadLetter(source: StreamMessage, { error, part }: Refused): void {
    const { parts, progress } = this
    parts.metrics.count(`dead_${error.code}_total`)
    progress.epoch.add(
      parts.waiting.until('dead letters', () => deadLetter(parts.js, source, error, part), parts.ending),
    )
  }

  /** Shows stored reads to whoever looks now. Not durable: the store is where they are looked up. */
  showLive(epoch: Epoch): void {
    const { connection, cameras, metrics } = this.parts
    if (connection.isClosed()) return
    const lists = new Map<string, Set<string>>()
    for (const { readId, list, state } of epoch.hits)
      if (state === 'possible') lists.set(readId, (lists.get(readId) ?? new Set()).add(list))
    let shown = 0
    for (const read of epoch.reads.values()) {
      // Nobody can look at more; those with a hit are shown all the same.
      if (++shown > MAX_SHOWN && !lists.has(read.readId)) continue
      const live = liveReadOf(read, cameras.cameras.get(read.camera)?.name ?? read.camera, [
        ...(lists.get(read.readId) ?? []),
      ])
      connection.publish(readsSubject(read.camera), JSON.stringify(live))
    }
    if (shown > MAX_SHOWN) metrics.bound('live_reads')
  }

  private hitsOf(pass: OpenPass, read: Read, camera: Camera, closing: boolean): Hit[] {
    return makeHits(
      pass,
      read,
      this.parts.lists.check(read.positions, read.plate, read.ts, read.region),
      camera,
      closing,
    )
  }

  /** Pictures, then the read into the epoch and the hits onto the stream; revisions of one pass in their order. */
  private finish(pass: OpenPass, read: Read, hits: Hit[], storing: boolean): void {
    const { epoch } = this.progress
    const best = pass.state.best
    // Nothing has to be made or sent first.
    if (best.seq === undefined && hits.length === 0 && !this.publishing.has(pass)) {
      if (storing) epoch.reads.set(read.readId, read)
      return
    }
    const before = this.publishing.get(pass) ?? Promise.resolve()
    const work = before.then(async () => {
      if (best.seq !== undefined && pass.state.pictures?.seq !== best.seq) {
        const made = await this.parts.pictures.make(this.parts.recent, { ...best, seq: best.seq })
        if (made) {
          pass.state.pictures = { seq: best.seq, ...made }
          // Saved with the next checkpoint, so that the frame need not be kept for it any longer.
          this.progress.epoch.cameras.add(read.camera)
        }
      }
      const { crop, picture } = pass.state.pictures ?? {}
      if (storing) epoch.reads.set(read.readId, { ...read, crop, picture })
      for (const hit of hits) epoch.hits.push(await this.publish({ ...hit, crop, picture }))
    })
    this.publishing.set(
      pass,
      work.catch(() => {}),
    )
    epoch.add(work)
  }

  private async publish(hit: Hit): Promise<Hit> {
    const { parts } = this
    const header = headers()
    header.set(HEADER.msgId, `${hit.hitId}.${hit.revision}.${hit.listVersion}`)
    const published = { ...hit, publishedAt: new Date().toISOString() }
    const payload = JSON.stringify(published)
    await parts.waiting.until(
      'nats',
      () => parts.js.publish(hitsSubject(hit.list, hit.camera), payload, { headers: header, timeout: 5_000 }),
      parts.ending,
    )
    parts.metrics.count('hits_total')
    parts.metrics.count('hit_delay_ms_total', Date.parse(published.publishedAt) - Date.parse(hit.tsLast))
    return published
  }
}

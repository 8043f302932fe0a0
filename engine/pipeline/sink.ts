import { headers } from 'nats'
import { publishDeadLetter } from '../dead_letters/publish.js'
import type { Camera } from '../model/camera.js'
import type { Hit } from '../model/hit.js'
import { dueForCheck, makeHits, needsLastCheck, worthChecking } from '../hits/hit_maker.js'
import { hitMessage } from '../hits/hit_message.js'
import type { Rejection } from '../sources/source.js'
import { liveReadOf } from '../model/live_read.js'
import { HEADER, hitsSubject, readsSubject } from '../nats/topology.js'
import type { Epoch } from './epoch.js'
import type { Progress } from './progress.js'
import type { StreamMessage } from '../partition/partition_consumer.js'
import type { OpenPass } from '../passes/pass.js'
import type { PartitionFrames } from '../pictures/frame_cache.js'
import type { ReadIds } from '../model/read_id.js'
import type { PipelineParts } from './pipeline_parts.js'
import type { Read } from '../model/read.js'

/** A pass that continues (a parked car) is stored again at least this often. Event time. */
const EXTEND_MS = 60_000
/** Most reads without a hit that one checkpoint of a partition shows live. */
const MAX_SHOWN = 500
/** Room for the headers of a hit, bytes: its id has a pattern of up to 128 characters. */
const HIT_HEADER_BYTES = 1_024

/**
 * The output of a partition: hits and dead letters go to JetStream at once, reads to the epoch that the next checkpoint
 * writes. Every decision is made during the call, in stream order; pictures and publishing follow as work of the epoch.
 */
export class Sink {
  /** Frames and event time of each open pass when it was last stored. */
  private readonly stored = new WeakMap<OpenPass, { frames: number; ts: number }>()
  /** Publishes the revisions of a vehicle in turn. By its hits, which a pass shares with the one that it continues. */
  private readonly publishing = new WeakMap<OpenPass['state']['hits'], Promise<void>>()

  constructor(
    private readonly parts: PipelineParts,
    private readonly progress: Progress,
    private readonly frames: PartitionFrames,
    private readonly ids: ReadIds,
  ) {}

  /** An open pass took a detection. Publishes its hits without waiting for its end; stores a long pass now and then. */
  checkEarly(pass: OpenPass, camera: Camera): void {
    const since = this.stored.get(pass)?.ts ?? pass.state.first.ts
    const storing = pass.state.last.ts - since >= EXTEND_MS
    if (!storing && !dueForCheck(pass)) return
    const read = pass.toRead(camera, this.parts.provenance(pass.arrivedAt))
    const hits = worthChecking(pass, read.confidence) ? this.hitsOf(pass, read, camera, false) : []
    if (storing) this.noteStored(pass)
    if (storing || hits.length > 0) this.finish(pass, read, hits, storing)
  }

  /**
   * Puts the read into the epoch as it is now; when the pass closes, with the last revision of its hits. Only then is
   * it matched: at which frame a pass becomes idle is a matter of real time, and hits must not depend on that. An idle
   * pass that closes without another detection is stored already and is not stored again: a second row would count it
   * twice in the rollups and show it twice on consoles. It is stored again when its hits change, because reads are
   * shown with the hits of their own checkpoint.
   */
  enqueue(pass: OpenPass, camera: Camera, closing: boolean): void {
    const stored = this.isStored(pass)
    const read = pass.toRead(camera, this.parts.provenance(pass.arrivedAt))
    // A closed pass is never asked about again; most passes of cameras that read plates close at once.
    if (!closing) this.noteStored(pass)
    const hits = closing && needsLastCheck(pass) ? this.hitsOf(pass, read, camera, true) : []
    this.finish(pass, read, hits, !stored || hits.length > 0)
  }

  /** Stores an idle pass. @returns false when it is stored already */
  storeIdle(pass: OpenPass, camera: Camera): boolean {
    if (this.isStored(pass)) return false
    this.enqueue(pass, camera, false)
    return true
  }

  private noteStored(pass: OpenPass): void {
    this.stored.set(pass, { frames: pass.state.frames, ts: pass.state.last.ts })
  }

  private isStored(pass: OpenPass): boolean {
    return this.stored.get(pass)?.frames === pass.state.frames
  }

  /** Sends a message that cannot be processed to DEAD, with the reason, as far as the quota of its camera allows. */
  deadLetter(message: StreamMessage, { error, part }: Rejection): void {
    const { parts, progress } = this
    parts.metrics.count(`dead_${error.code}_total`)
    const id = `${this.ids.of(message.seq, 0)}${part ? `-${part.index}` : ''}`
    const send = async () => {
      const kept = await parts.deadLetters.admit(message.camera, error.code)
      if (kept !== 'payload') parts.metrics.bound('dead_letters')
      if (kept !== 'count') await publishDeadLetter(parts.js, message, error, { id, part, payload: kept === 'payload' })
    }
    progress.epoch.add(parts.retry.until('dead letters', send, parts.ending))
  }

  /** Publishes stored reads for live display. Not durable: the store is what gets queried. */
  showLive(epoch: Epoch): void {
    const { connection, cameras, metrics } = this.parts
    if (connection.isClosed()) return
    const lists = new Map<string, Set<string>>()
    for (const { readId, list, state } of epoch.hits)
      if (state === 'possible') lists.set(readId, (lists.get(readId) ?? new Set()).add(list))
    let shown = 0
    for (const read of epoch.reads.values()) {
      // Nobody can follow more; reads with a hit are always shown.
      if (++shown > MAX_SHOWN && !lists.has(read.readId)) continue
      const live = liveReadOf(read, cameras.cameras.get(read.camera)?.name ?? read.camera, [
        ...(lists.get(read.readId) ?? []),
      ])
      connection.publish(readsSubject(read.camera), JSON.stringify(live))
    }
    if (shown > MAX_SHOWN) metrics.bound('live_reads')
  }

  private hitsOf(pass: OpenPass, read: Read, camera: Camera, closing: boolean): Hit[] {
    return makeHits(pass, read, this.parts.lists.check(read, pass.arrivedAt), camera, closing)
  }

  /** Makes pictures, then adds the read to the epoch and publishes the hits; keeps the order of a pass's revisions. */
  private finish(pass: OpenPass, read: Read, hits: Hit[], storing: boolean): void {
    const { epoch } = this.progress
    const best = pass.state.best
    // There is nothing to make or publish first.
    if (best.seq === undefined && hits.length === 0 && !this.publishing.has(pass.state.hits)) {
      if (storing) epoch.reads.set(read.readId, read)
      return
    }
    const previous = this.publishing.get(pass.state.hits) ?? Promise.resolve()
    const work = previous.then(async () => {
      const { pictures, pictureless } = pass.state
      if (best.seq !== undefined && pictures?.seq !== best.seq && pictureless !== best.seq) {
        const made = await this.parts.pictures.make(this.frames, { ...best, seq: best.seq })
        if (made) pass.state.pictures = { seq: best.seq, ...made }
        else pass.state.pictureless = best.seq
        // The next checkpoint saves this, so the frame need not be kept for it any longer.
        if (this.progress.cameras.peek(read.camera)) this.progress.epoch.cameras.add(read.camera)
      }
      const { crop, picture } = pass.state.pictures ?? {}
      if (storing) epoch.reads.set(read.readId, { ...read, crop, picture })
      for (const hit of hits) epoch.hits.push(await this.publish({ ...hit, crop, picture }))
    })
    // When a revision fails, the later ones of the pass fail with it: they must not overtake it.
    this.publishing.set(pass.state.hits, work)
    epoch.add(work)
  }

  private async publish(hit: Hit): Promise<Hit> {
    const { parts } = this
    const header = headers()
    header.set(HEADER.msgId, `${hit.hitId}.${hit.revision}.${hit.listVersion}`)
    let published = { ...hit, publishedAt: new Date().toISOString() }
    const send = async () => {
      // The limit may be another one after a reconnect.
      const message = hitMessage(published, (parts.connection.info?.max_payload ?? 1_048_576) - HIT_HEADER_BYTES)
      if (!message) return 'hits_unpublished_total'
      if (message.cut) parts.metrics.count('hits_cut_total')
      published = message.hit
      await parts.js.publish(hitsSubject(hit.list, hit.camera), message.payload, { headers: header, timeout: 5_000 })
      return 'hits_total'
    }
    parts.metrics.count(await parts.retry.until('nats', send, parts.ending))
    parts.metrics.count('hit_delay_ms_total', Date.parse(published.publishedAt) - Date.parse(hit.tsLast))
    return published
  }
}

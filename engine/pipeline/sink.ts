import { publishDeadLetter } from '../dead_letters/publish.js'
import type { Camera } from '../model/camera.js'
import type { Hit } from '../model/hit.js'
import { type DecidedHit, EarlierHits, type PlacedHit, vehicleOf } from '../hits/decided_hit.js'
import {
  dueForCheck,
  makeHits,
  needsLastCheck,
  noteChecked,
  noteDecided,
  withdrawalOf,
  worthChecking,
} from '../hits/hit_maker.js'
import type { Rejection } from '../sources/source.js'
import { liveReadOf } from '../model/live_read.js'
import { readsSubject } from '../nats/topology.js'
import { type CheckpointLog, isFenced } from '../partition/checkpoint_log.js'
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

/** A revision that is due, decided now or, with its place in the log, by an earlier tenure. */
type DueHit = Omit<PlacedHit, 'place'> & { place?: number }

/**
 * The output of a partition: hits and dead letters go to JetStream at once, reads to the epoch that the next checkpoint
 * writes. Every decision is made during the call, in stream order; pictures and publishing follow as work of the epoch.
 */
export class Sink {
  /** Frames and event time of each open pass when it was last given to the epoch; before, as its state says. */
  private readonly stored = new WeakMap<OpenPass, { frames: number; ts: number }>()
  /** Publishes the revisions of a vehicle in turn. By its hits, which a pass shares with the one that it continues. */
  private readonly publishing = new WeakMap<OpenPass['state']['hits'], Promise<void>>()
  private readonly earlier: EarlierHits
  /** Passes that were last checked without the lists, because an earlier tenure had decided. */
  private readonly unmatched = new WeakSet<OpenPass>()

  constructor(
    private readonly parts: PipelineParts,
    private readonly progress: Progress,
    private readonly frames: PartitionFrames,
    private readonly ids: ReadIds,
    private readonly log: Pick<CheckpointLog, 'decided' | 'prepareHit'>,
  ) {
    this.earlier = new EarlierHits(log.decided)
  }

  /** An open pass took a detection. Publishes its hits without waiting for its end; stores a long pass now and then. */
  checkEarly(pass: OpenPass, camera: Camera): void {
    const since = this.storedOf(pass)?.ts ?? pass.state.first.ts
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
    // Others that have closed are never asked about again: most passes of cameras that read plates close at once.
    if (!closing || pass.canLinger) this.noteStored(pass)
    const isDue = closing && (needsLastCheck(pass) || this.earlier.has(pass))
    const hits = isDue ? this.hitsOf(pass, read, camera, true) : []
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
    return this.storedOf(pass)?.frames === pass.state.frames
  }

  private storedOf(pass: OpenPass): OpenPass['state']['stored'] {
    return this.stored.get(pass) ?? pass.state.stored
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

  /**
   * Settles what earlier tenures decided at messages that gave another result when they were applied again: the hits of
   * an open pass go on, those without one are withdrawn.
   */
  settleEarlier(): void {
    const { progress, earlier, ids } = this
    for (const hits of earlier.takeOverdue((camera) => progress.appliedOf(camera), ids.epoch)) {
      const { camera, readId } = hits[0]!.decided.hit
      const passes = progress.cameras.get(camera, performance.now())
      const pass = [...passes.changeable()].find((one) => vehicleOf(one) === readId)
      progress.epoch.cameras.add(camera)
      if (pass) {
        for (const { decided } of hits) noteDecided(pass, decided)
        this.matchAgain(pass)
      }
      const due: DueHit[] = pass ? hits : [...hits, ...this.withdrawalsOf(hits)]
      const previous = pass && this.publishing.get(pass.state.hits)
      const { epoch } = progress
      const work = (previous ?? Promise.resolve()).then(() => this.publishAll(due, epoch))
      if (pass) this.publishing.set(pass.state.hits, work)
      epoch.add(work)
    }
  }

  private withdrawalsOf(hits: readonly PlacedHit[]): DueHit[] {
    const last = new Map(hits.map(({ decided }) => [decided.hit.hitId, decided]))
    return [...last.values()]
      .filter(({ hit }) => hit.state === 'possible')
      .map((decided) => ({ decided: { ...decided, hit: withdrawalOf(decided.hit), closing: true } }))
  }

  /** What an earlier tenure decided here; once that is all, what is due by the lists. */
  private hitsOf(pass: OpenPass, read: Read, camera: Camera, closing: boolean): DueHit[] {
    const { progress, earlier, ids } = this
    const due: DueHit[] = earlier.take(pass, closing)
    for (const { decided } of due) noteDecided(pass, decided)
    if (earlier.has(pass)) {
      noteChecked(pass, read)
      this.unmatched.add(pass)
      return due
    }
    this.matchAgain(pass)
    const seq = progress.cameras.peek(read.camera)?.seq ?? 0
    const { readId, frames } = read
    for (const hit of makeHits(pass, read, this.parts.lists.check(read, pass.arrivedAt), camera, closing))
      due.push({ decided: { hit, seq, epoch: ids.epoch, readId, frames, closing, after: 0 } })
    return due
  }

  /** What was decided earlier is over: the lists count even for a vote that was checked without them. */
  private matchAgain(pass: OpenPass): void {
    if (this.unmatched.delete(pass)) delete pass.state.checked
  }

  /** Makes pictures, then adds the read to the epoch and publishes the hits; keeps the order of a pass's revisions. */
  private finish(pass: OpenPass, read: Read, hits: DueHit[], storing: boolean): void {
    const { epoch } = this.progress
    const best = pass.state.best
    // There is nothing to make or publish first.
    if (best.seq === undefined && hits.length === 0 && !this.publishing.has(pass.state.hits)) {
      if (storing) this.store(epoch, pass, read)
      return
    }
    const previous = this.publishing.get(pass.state.hits) ?? Promise.resolve()
    const work = previous.then(async () => {
      const { pictures, pictureless } = pass.state
      if (best.seq !== undefined && pictures?.seq !== best.seq && pictureless !== best.seq) {
        const made = await this.parts.pictures.make(this.frames, { ...best, seq: best.seq })
        if (made) pass.state.pictures = { seq: best.seq, ...made }
        else pass.state.pictureless = best.seq
        delete best.quad
      }
      const { crop, picture } = pass.state.pictures ?? {}
      if (storing) this.store(epoch, pass, { ...read, crop, picture })
      // The next checkpoint saves the pictures, so the frame need not be kept for them, and that the read is stored.
      if (this.progress.cameras.peek(read.camera)) this.progress.epoch.cameras.add(read.camera)
      await this.publishAll(hits, epoch, { crop, picture })
    })
    // When a revision fails, the later ones of the pass fail with it: they must not overtake it.
    this.publishing.set(pass.state.hits, work)
    epoch.add(work)
  }

  private store(epoch: Epoch, pass: OpenPass, read: Read): void {
    epoch.reads.set(read.readId, read)
    pass.noteStored(read)
  }

  private async publishAll(hits: readonly DueHit[], epoch: Epoch, pictures: Pick<Hit, 'crop' | 'picture'> = {}) {
    // All at once, and so in one record of the log, in their order.
    const decided = await Promise.all(
      hits.map((due) => (due.place === undefined ? this.decide(due.decided, pictures) : due)),
    )
    for (const [index, due] of decided.entries()) {
      if (due.place !== undefined) epoch.decided.push(due.place)
      epoch.hits.push(await this.publish(due, hits[index]!.place !== undefined))
    }
  }

  /** Makes a hit durable, as it will be published. */
  private async decide(decided: DecidedHit, pictures: Pick<Hit, 'crop' | 'picture'>): Promise<DueHit> {
    const { hitPublisher, retry, ending } = this.parts
    const hit = { ...decided.hit, ...pictures, publishedAt: new Date().toISOString() }
    const message = hitPublisher.messageOf(hit)
    const final = { ...decided, hit: message?.hit ?? hit, after: hitPublisher.after }
    // Nobody but the store will see it.
    if (!message) return { decided: final }
    if (message.cut) this.parts.metrics.count('hits_cut_total')
    const append = this.log.prepareHit(final)
    return { decided: final, place: await retry.until('nats', () => append.write(), ending, isFenced) }
  }

  /** @param isEarlier an earlier tenure may have published it */
  private async publish({ decided, place }: DueHit, isEarlier: boolean): Promise<Hit> {
    const { hitPublisher, retry, metrics, ending } = this.parts
    const { hit } = decided
    let attempts = isEarlier ? 1 : 0
    const send = () => hitPublisher.publish(decided, attempts++ > 0)
    const published = place === undefined ? undefined : await retry.until('nats', send, ending)
    metrics.count(published ? 'hits_total' : 'hits_unpublished_total')
    metrics.count('hit_delay_ms_total', Date.parse(hit.publishedAt) - Date.parse(hit.tsLast))
    return published ?? hit
  }
}

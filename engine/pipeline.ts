import { headers, type JetStreamClient, type JetStreamManager, type JsMsg, type KV, type NatsConnection } from 'nats'
import type { Detection } from '../wasm/mod.js'
import { deadLetter } from './dead_letter.js'
import { AlprError, codeOf } from './errors.js'
import { CAMERA_ID, type Camera } from './frames/camera.js'
import type { FollowedCameras } from './frames/registry.js'
import { EARLIEST_CAPTURE, parseFrame, type Frame, type FrameMessage } from './frames/frame.js'
import type { Hit } from './hit.js'
import { makeHits, worthChecking } from './hits/hit_maker.js'
import { liveReadOf } from './live_read.js'
import type { ListsInForce } from './matching/lists_in_force.js'
import type { Metrics } from './metrics.js'
import { HEADER, hitsSubject, partitionFilter, readsSubject, STREAM } from './nats/topology.js'
import { Checkpoint } from './partition/checkpoint.js'
import { Epoch } from './partition/epoch.js'
import { RecentFrames } from './partition/recent_frames.js'
import { PartitionSource, type StreamFrame } from './partition/source.js'
import { CameraPasses } from './passes/camera_passes.js'
import type { OpenPass } from './passes/pass.js'
import { sleep } from './pause.js'
import type { PictureMaker } from './pictures/picture_maker.js'
import type { Read } from './read.js'
import type { ReadIds } from './read_id.js'
import type { RecognizerPool } from './recognize/pool.js'
import { Slots } from './slots.js'
import type { StoreWriter } from './store/writer.js'
import type { Waiting } from './waiting.js'

/** Everything the pipeline stands on; one of each for all partitions of an engine. */
export interface PipelineParts {
  connection: NatsConnection
  js: JetStreamClient
  manager: JetStreamManager
  cameras: Pick<FollowedCameras, 'cameras' | 'refresh'>
  recognizer: RecognizerPool
  lists: ListsInForce
  pictures: PictureMaker
  store: StoreWriter
  ids: ReadIds
  /** What a read was made with, now. */
  provenance: () => { module: string; model: string; lists: string }
  metrics: Metrics
  waiting: Waiting
  /** Frames in flight per partition: what the recognizer's free slots allow. */
  slots: number
  partitions: number
  batchMs: number
  passGapMs: number
  futureToleranceMs: number
  /** Aborts when the engine ends: what is being tried again and again gives up. */
  ending: AbortSignal
}

/** A frame on its way through: what the stream gave, and what came of it. */
interface InFlight {
  source: StreamFrame
  recognised: Promise<{ frame: Frame; detections: Detection[] } | { error: AlprError }>
}

/** A camera that sends nothing for this long (wall time) gets its open passes stored as they stand. They stay open. */
const QUIET_MS = 3_000
/** A pass that goes on (a parked car) is stored again at least this often. Event time. */
const EXTEND_MS = 60_000
/** Pictures and publishing that may be unfinished before the pipeline waits. */
const MAX_UNFINISHED = 64
/** The stream is trimmed up to the floor at most this often. */
const TRIM_MS = 5_000

/**
 * camera -> NATS -> decode, find, read -> pass -> match -> hits -> NATS, reads -> ClickHouse; for one partition of the cameras.
 *
 *     take        each frame of the stream goes to the recognizer, as many at once as there are slots
 *     apply       in stream order again: passes, votes, matching, hits
 *     checkpoint  twice a second: what the frames so far brought about is made durable, then they are acknowledged
 */
export class Pipeline {
  private readonly checkpointed: Checkpoint
  private readonly recent: RecentFrames
  private readonly slots: Slots
  private source: PartitionSource | undefined
  private cameras = new Map<string, CameraPasses>()
  private readonly queue: InFlight[] = []
  private arrived: () => void = () => {}
  private epoch = new Epoch()
  private floor = 0
  private applied: { seq: number; message: JsMsg | undefined } = { seq: 0, message: undefined }
  private trimmed = { seq: 0, at: 0 }
  /** Wall time of the last frame of a camera, and which passes have been stored at how many frames; only for storing early. */
  private readonly lastSeen = new Map<string, number>()
  private readonly stored = new WeakMap<OpenPass, { frames: number; ts: number }>()
  /** Revisions of one pass go out one after the other. */
  private readonly publishing = new WeakMap<OpenPass, Promise<void>>()

  constructor(private readonly partition: number, private readonly parts: PipelineParts, buckets: { passes: KV; floors: KV }) {
    this.checkpointed = new Checkpoint(buckets.passes, buckets.floors, partition, parts.passGapMs)
    this.recent = new RecentFrames(parts.connection)
    this.slots = new Slots(parts.slots)
  }

  /**
   * Runs from the last checkpoint on until `signal` aborts, then finishes what is in flight. @throws when this engine was fenced off or NATS
   * refuses; nothing is lost by that, the next owner starts at the last checkpoint.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { parts } = this
    const { floor, cameras } = await this.checkpointed.load()
    await this.checkpointed.fence(floor)
    this.cameras = cameras
    for (const [name, camera] of cameras) if (camera.openCount > 0) this.lastSeen.set(name, Date.now())
    this.floor = floor
    this.applied = { seq: floor, message: undefined }
    this.source = new PartitionSource(parts.js, parts.manager, this.partition, parts.partitions, floor)

    const failed = new AbortController()
    const ending = AbortSignal.any([signal, failed.signal])
    ending.addEventListener('abort', () => { this.slots.interrupt(); this.arrived() })
    const orFail = (work: Promise<void>) => work.catch((error: unknown) => { failed.abort(error); throw error })
    const done = await Promise.allSettled([
      orFail(this.source.run(() => this.room(ending), (frame) => this.take(frame), ending)),
      orFail(this.applyInOrder(ending)),
      orFail(this.checkpoints(ending)),
    ])
    const failure = done.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
    await this.checkpoint(AbortSignal.timeout(5_000))
  }

  /** The connection broke or came back. */
  interrupt(): void {
    this.source?.interrupt()
  }

  get gauges(): { openPasses: number; inFlight: number; pending: number } {
    let openPasses = 0
    for (const camera of this.cameras.values()) openPasses += camera.openCount
    return { openPasses, inFlight: this.queue.length, pending: this.source?.pending ?? 0 }
  }

  // take

  /** Frames may come while slots are free and not too much is unacknowledged. */
  private async room(signal: AbortSignal): Promise<number> {
    while (!signal.aborted && this.applied.seq - this.floor > PartitionSource.MAX_UNACKNOWLEDGED * this.parts.partitions) {
      this.parts.metrics.bound('unacknowledged_frames')
      await sleep(50, signal)
    }
    return Math.max(1, await this.slots.room())
  }

  private take(source: StreamFrame): void {
    this.slots.take()
    this.queue.push({ source, recognised: this.recognise(source) })
    this.arrived()
  }

  private async recognise(source: StreamFrame): Promise<{ frame: Frame; detections: Detection[] } | { error: AlprError }> {
    const { parts } = this
    try {
      // A camera may have been registered a moment before its first frame.
      if (!parts.cameras.cameras.has(source.camera)) await parts.cameras.refresh(source.camera)
      const frame = parseFrame(source, parts.cameras.cameras, parts.futureToleranceMs)
      const { detections, ms } = await parts.recognizer.recognize(frame.jpeg)
      parts.metrics.count('decode_ms_total', ms.decode)
      parts.metrics.count('recognize_ms_total', ms.recognize)
      return { frame, detections }
    } catch (error) {
      if (error instanceof AlprError) return { error }
      return { error: new AlprError('ALPR_ERR_FRAME_CRASHED', { reason: (error as Error).message }, { cause: error }) }
    }
  }

  // apply

  private async applyInOrder(signal: AbortSignal): Promise<void> {
    while (!signal.aborted || this.queue.length > 0) {
      const next = this.queue[0]
      if (!next) {
        await new Promise<void>((resolve) => { this.arrived = resolve; if (signal.aborted) resolve() })
        continue
      }
      const result = await next.recognised
      this.queue.shift()
      this.slots.release()
      this.apply(next.source, result)
      while (this.epoch.pendingWork > MAX_UNFINISHED) {
        this.parts.metrics.bound('unfinished_work')
        await sleep(5)
      }
    }
  }

  private apply(source: StreamFrame, result: { frame: Frame; detections: Detection[] } | { error: AlprError }): void {
    const { metrics } = this.parts
    const name = CAMERA_ID.test(source.camera) ? source.camera : '_invalid'
    const camera = this.cameras.get(name) ?? CameraPasses.empty(name, this.parts.passGapMs)
    this.applied = { seq: source.seq, message: source.message }
    // Seen before the restart: its effects are durable already.
    if (source.seq <= camera.seq) return
    this.cameras.set(name, camera)
    this.epoch.cameras.add(name)
    this.lastSeen.set(name, Date.now())
    metrics.count('frames_total')
    if ('error' in result) {
      metrics.count('frames_dead_total')
      camera.dead(source.seq, hourTimeOf(source))
      this.epoch.add(this.bury(source, result.error))
      return
    }
    const { frame, detections } = result
    metrics.count(detections.length > 0 ? 'frames_with_reads_total' : 'frames_without_plate_total')
    metrics.count('detections_total', detections.length)
    metrics.gauge('delay_seconds', Math.max(0, Date.now() - frame.capturedAt) / 1000)
    if (detections.length > 0) this.recent.keep(frame.seq, frame.jpeg.slice())

    const { closed, touched, overflowed } = camera.advance(frame, detections, (index) => this.parts.ids.of(frame.seq, index))
    if (overflowed) metrics.bound('open_passes')
    for (const pass of closed) this.store(pass, frame.camera, true)
    for (const pass of touched) this.look(pass, frame.camera)
  }

  /** An open pass took a detection: hits do not wait for it to close; a pass that goes on and on is stored in between. */
  private look(pass: OpenPass, camera: Camera): void {
    const { parts } = this
    const before = this.stored.get(pass)
    if (pass.state.last.ts - (before?.ts ?? pass.state.first.ts) >= EXTEND_MS) return this.store(pass, camera, false)
    const read = pass.toRead(camera, parts.provenance())
    if (!worthChecking(pass, read.confidence)) return
    const hits = makeHits(pass, read, parts.lists.check(read.positions, read.plate, read.ts), camera, false)
    if (hits.length > 0) this.finish(pass, read, hits, false)
  }

  /** Stores the read as it stands; at the close of the pass with the last word on its hits. */
  private store(pass: OpenPass, camera: Camera, closing: boolean): void {
    const { parts } = this
    const read = pass.toRead(camera, parts.provenance())
    const hits = makeHits(pass, read, parts.lists.check(read.positions, read.plate, read.ts), camera, closing)
    this.stored.set(pass, { frames: pass.state.frames, ts: pass.state.last.ts })
    this.finish(pass, read, hits, true)
  }

  /** Pictures, then the read into the epoch and the hits onto the stream; revisions of one pass in their order. */
  private finish(pass: OpenPass, read: Read, hits: Hit[], storing: boolean): void {
    const { epoch, parts } = this
    const best = pass.state.best
    const before = this.publishing.get(pass) ?? Promise.resolve()
    const work = before.then(async () => {
      if (pass.state.pictures?.seq !== best.seq) {
        const made = await parts.pictures.make(this.recent, best)
        if (made) pass.state.pictures = { seq: best.seq, ...made }
      }
      const { crop, picture } = pass.state.pictures ?? {}
      if (storing) epoch.reads.set(read.readId, { ...read, crop, picture })
      for (const hit of hits) await this.publish({ ...hit, crop, picture }, epoch)
    })
    this.publishing.set(pass, work.catch(() => {}))
    epoch.add(work)
  }

  private async publish(hit: Hit, epoch: Epoch): Promise<void> {
    const { parts } = this
    const header = headers()
    header.set(HEADER.msgId, `${hit.hitId}.${hit.revision}.${hit.listVersion}`)
    const published = { ...hit, publishedAt: new Date().toISOString() }
    const payload = new TextEncoder().encode(JSON.stringify(published))
    await parts.waiting.until('nats', () => parts.js.publish(hitsSubject(hit.list, hit.camera), payload, { headers: header, timeout: 5_000 }), parts.ending)
    epoch.hits.push(published)
    parts.metrics.count('hits_total')
    parts.metrics.count('hit_delay_ms_total', Date.parse(published.publishedAt) - Date.parse(hit.tsLast))
  }

  private async bury(source: FrameMessage & { message: JsMsg }, error: AlprError): Promise<void> {
    const { parts } = this
    parts.metrics.count(`dead_${codeOf(error)}_total`)
    await parts.waiting.until('dead letters', () => deadLetter(parts.js, source, error), parts.ending)
  }

  // checkpoint

  private async checkpoints(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.parts.batchMs, signal)
      if (!signal.aborted) await this.checkpoint(signal)
    }
  }

  private async checkpoint(signal: AbortSignal): Promise<void> {
    const { parts } = this
    this.storeQuiet()
    const { epoch, applied } = this
    if (applied.seq === this.floor && epoch.cameras.size === 0) return
    this.epoch = new Epoch()
    // The state of this very moment: what comes after it belongs to the next epoch.
    const ledger = [...epoch.cameras].flatMap((name) => this.cameras.get(name)!.takeLedger())
    const states = [...epoch.cameras].map((name): [string, string] => [name, JSON.stringify(this.cameras.get(name))])

    await epoch.settled()
    const reads = [...epoch.reads.values()]
    await parts.waiting.until('pictures', () => parts.pictures.sync(), signal)
    await parts.waiting.until('clickhouse', () => parts.store.write({ reads, hits: epoch.hits, ledger }), signal)
    parts.metrics.count('reads_total', reads.length)
    for (const read of reads) this.showLive(read, epoch)
    const fenced = (error: unknown) => codeOf(error) === 'ALPR_ERR_STATE_FENCED'
    await parts.waiting.until('nats', () => this.checkpointed.saveCameras(states), signal, fenced)
    await parts.waiting.until('nats', () => this.checkpointed.saveFloor(applied.seq), signal, fenced)
    this.floor = applied.seq
    // The floor in the bucket is what a restart goes by; the stream's own floor is for monitoring, so one try is enough.
    await applied.message?.ackAck({ timeout: 2_000 }).catch(() => false)
    await this.trim()
  }

  /** A camera that went quiet: its passes are stored as they stand, so that a read does not wait for the next car. */
  private storeQuiet(): void {
    const quietSince = Date.now() - QUIET_MS
    for (const [name, at] of this.lastSeen) {
      if (at > quietSince) continue
      this.lastSeen.delete(name)
      const camera = this.parts.cameras.cameras.get(name)
      const passes = this.cameras.get(name)
      if (!camera || !passes) continue
      for (const pass of passes.open()) {
        if (this.stored.get(pass)?.frames === pass.state.frames) continue
        this.epoch.cameras.add(name)
        this.store(pass, camera, false)
      }
    }
  }

  /**
   * Processed frames leave the stream: pictures of people's cars are not kept longer than needed. Frames that an open pass may
   * still want for its picture stay.
   */
  private async trim(): Promise<void> {
    if (Date.now() - this.trimmed.at < TRIM_MS) return
    let keep = this.floor
    for (const camera of this.cameras.values()) {
      for (const { state } of camera.open()) if (!state.pictures) keep = Math.min(keep, state.best.seq - 1)
    }
    this.trimmed.at = Date.now()
    if (keep <= this.trimmed.seq) return
    // `seq` is exclusive. A failed trim is made up for by the next one.
    await this.parts.manager.streams.purge(STREAM.frames, { filter: partitionFilter(this.partition, this.parts.partitions), seq: keep + 1 })
      .then(() => { this.trimmed.seq = keep }, () => {})
  }

  private showLive(read: Read, epoch: Epoch): void {
    const lists = epoch.hits.filter((hit) => hit.readId === read.readId && hit.state === 'possible').map((hit) => hit.list)
    const live = liveReadOf(read, this.parts.cameras.cameras.get(read.camera)?.name ?? read.camera, [...new Set(lists)])
    if (!this.parts.connection.isClosed()) this.parts.connection.publish(readsSubject(read.camera), JSON.stringify(live))
  }
}

/** The hour a dead frame is counted in: its own time when it has a plausible one, else its arrival. */
function hourTimeOf(source: FrameMessage): number {
  const captured = Date.parse(source.header(HEADER.capturedAt) ?? '')
  return captured >= EARLIEST_CAPTURE && captured <= source.arrivedAt ? captured : source.arrivedAt
}

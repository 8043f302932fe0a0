import type { HeldPartition } from '../model/engine_status.js'
import { EARLIEST_CAPTURE, type CameraMessage } from '../model/capture.js'
import type { Source, CaptureObservations, Extracted } from '../sources/source.js'
import { HEADER, partitionName, streamOf, type Partition } from '../nats/topology.js'
import { Sink } from './sink.js'
import { CameraStates, stateNameOf } from '../partition/camera_states.js'
import { takeOver } from '../partition/take_over.js'
import { Checkpointer } from './checkpointer.js'
import { Holdup } from './holdup.js'
import { Intake } from './intake.js'
import { Progress } from './progress.js'
import type { StreamMessage } from '../partition/partition_consumer.js'
import { PoisonGuard } from './poison_guard.js'
import type { CameraPasses } from '../passes/camera_passes.js'
import { contentDigest, rejectedDigest } from '../passes/recent_messages.js'
import { ledgerPartOf } from '../model/ledger.js'
import { ReadIds } from '../model/read_id.js'
import type { PartitionFrames } from '../pictures/frame_cache.js'
import { parseInstant } from '../model/time.js'
import { sleep } from '../runtime/backoff.js'
import { TimeSlice } from '../runtime/time_slice.js'
import type { PipelineParts } from './pipeline_parts.js'

/** Pictures and publishing that may be unfinished before the pipeline waits. */
const MAX_UNFINISHED = 64
/** A position that stands still for longer is reported, ms. Parked vehicles get their picture within seconds. */
const HELD_MS = { commit: 15_000, trim: 60_000 }
/** Reads of a partition that may wait for a checkpoint: about 20 MB. */
const MAX_READS = 20_000

/**
 * camera -> NATS -> source: decode, find, read -> pass -> match -> hits -> NATS, reads -> ClickHouse; for one partition
 * of the cameras of one entrance.
 *
 *     intake      the source turns each message into detections (frames: by the recognizer), as many at once as slots
 *     apply       in the stream order of each camera: passes, votes; the sink matches and sends hits out
 *     checkpoint  once a second the effects of the messages are made durable, then the messages are acknowledged
 *
 * One instance is one tenure of the partition: what it holds in memory is dropped with it, the next one begins at the
 * last checkpoint.
 */
export class Pipeline {
  private readonly commitHoldup = new Holdup()
  private readonly trimHoldup = new Holdup()

  private constructor(
    private readonly parts: PipelineParts,
    private readonly source: Source,
    private readonly ids: ReadIds,
    private readonly progress: Progress,
    private readonly frames: PartitionFrames,
    private readonly intake: Intake,
    private readonly sink: Sink,
    private readonly checkpointer: Checkpointer,
  ) {}

  /**
   * Takes the partition over from its previous owner, at its last checkpoint.
   * @param from the number of partitions before, when this partition may have to begin with their states
   * @throws when NATS does not answer, or the previous owner wrote a checkpoint meanwhile
   */
  static async open(partition: Partition, source: Source, parts: PipelineParts, from?: number): Promise<Pipeline> {
    const { log, start } = await takeOver(partition, parts, from)
    const { epoch } = start.stream
    const ids = new ReadIds(epoch, source.entrance.root)
    const name = partitionName(partition)
    const poisonGuard = await PoisonGuard.begin(parts.bucket, name, start, parts.process)
    const rules = { ...source.rules, firstPart: (source.rules.firstPart ?? 0) + ledgerPartOf(epoch) }
    const states = new CameraStates(log.cameras, rules, performance.now())
    const intake = new Intake(partition, source, parts, poisonGuard, states, start)
    const progress = new Progress(states, intake.window, intake.behind)
    const frames = parts.frames.of(streamOf(partition))
    const sink = new Sink(parts, progress, frames, ids, log)
    const checkpointer = new Checkpointer(parts, progress, sink, log, frames, start.stream, intake.consumer)
    return new Pipeline(parts, source, ids, progress, frames, intake, sink, checkpointer)
  }

  /**
   * Runs until `signal` aborts, then finishes what is in flight and makes a last checkpoint.
   * @throws when another engine fenced this one off or NATS refuses; nothing is lost by that
   */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const ending = AbortSignal.any([signal, failed.signal])
    const orFail = (work: Promise<void>) =>
      work.catch((error: unknown) => {
        failed.abort(error)
        throw error
      })
    const done = await Promise.allSettled([
      orFail(this.intake.run(ending)),
      orFail(this.applyAll(ending)),
      orFail(this.checkpointer.run(ending)),
    ])
    try {
      const failure = done.find((result) => result.status === 'rejected')
      if (failure) throw failure.reason
      await this.checkpointer.checkpoint(AbortSignal.timeout(5_000), true)
    } finally {
      this.frames.drop()
    }
  }

  /** The connection broke or came back. */
  interrupt(): void {
    this.intake.consumer.interrupt()
  }

  /** Counts of now, for the status of the engine. `pending`: messages on the stream that were not fetched. */
  get gauges(): { openPasses: number; cameras: number; camerasBehind: number; inFlight: number; pending: number } {
    const { openPasses, cameras } = this.progress
    const { window, behind, consumer } = this.intake
    return {
      openPasses,
      cameras: cameras.size,
      camerasBehind: behind.size,
      inFlight: window.size,
      pending: consumer.pending + behind.waiting,
    }
  }

  /** What does not advance although it should; to be asked once a second. */
  held(): Omit<HeldPartition, 'partition'>[] {
    const { checkpointer, intake } = this
    const { window, consumer } = intake
    const now = performance.now()
    const isDue = consumer.pending > 0 || window.size > 0 || window.done.seq > window.committed
    const { seq, isBehind, by } = checkpointer.deleted
    const commitMs = this.commitHoldup.update(window.committed, isDue, now)
    const trimMs = this.trimHoldup.update(seq, isBehind, now)
    const message = window.first && `message ${window.first.seq} of camera ${window.first.camera}`
    const held: Omit<HeldPartition, 'partition'>[] = []
    if (commitMs > HELD_MS.commit)
      held.push({
        what: 'commit',
        ms: commitMs,
        by: checkpointer.waitsFor ?? message ?? 'nats: it delivers no messages',
      })
    if (trimMs > HELD_MS.trim) held.push({ what: 'trim', ms: trimMs, by })
    return held
  }

  private async applyAll(signal: AbortSignal): Promise<void> {
    const slice = new TimeSlice()
    for (let next = await this.intake.next(); next; next = await this.intake.next()) {
      this.apply(next.message, next.extracted)
      next.done()
      if (slice.isOver) await slice.next()
      await this.backpressure(signal)
    }
  }

  /** Waits while too much work is unfinished or too many reads are unwritten. */
  private async backpressure(signal: AbortSignal): Promise<void> {
    const { progress, parts } = this
    while (progress.epoch.pendingWork > MAX_UNFINISHED) {
      parts.metrics.bound('unfinished_work')
      await sleep(5)
    }
    if (progress.epoch.reads.size < MAX_READS) return
    parts.metrics.bound('unwritten_reads')
    this.checkpointer.hurry()
    while (progress.epoch.reads.size >= MAX_READS && !signal.aborted) await sleep(5)
  }

  private apply(message: StreamMessage, extracted: Extracted): void {
    const { progress, source, sink } = this
    const { metrics } = this.parts
    const name = stateNameOf(message.camera)
    const camera = progress.cameras.get(name, performance.now())
    // Applied before the restart: its effects are durable already.
    if (message.seq <= camera.seq) return
    if (isRepeated(camera, message, extracted)) return metrics.count('messages_repeated_total')
    progress.epoch.cameras.add(name)
    source.count(metrics, extracted)
    for (const rejection of extracted.rejected) {
      camera.dead(message.seq, hourTimeOf(message))
      sink.deadLetter(message, rejection)
    }
    for (const observed of extracted.observed) this.observe(camera, observed)
  }

  /** Adds the detections of one capture to the passes of its camera. */
  private observe(camera: CameraPasses, { capture, detections, first }: CaptureObservations): void {
    const { progress, sink, parts } = this
    const now = performance.now()
    const kept = capture.jpeg ?? capture.pictured
    if (detections.length > 0 && kept) this.frames.keep(capture.seq, kept.slice())
    const readIdOf = (index: number) => this.ids.of(capture.seq, first + index)
    const { closed, touched, repeated, bounds } = camera.advance(capture, detections, readIdOf)
    if (repeated > 0) parts.metrics.count('detections_repeated_total', repeated)
    for (const name of bounds) parts.metrics.bound(name)
    // The hits of a pass that another one continues are updated by that one.
    for (const pass of closed) sink.enqueue(pass, capture.camera, !pass.continued)
    progress.idle.noteFrame(camera.camera, camera.intervalMs, now)
    for (const pass of touched) {
      progress.idle.touch(pass, now)
      sink.checkEarly(pass, capture.camera)
    }
  }
}

/** Whether the same message was applied before, under another sequence. */
function isRepeated(camera: CameraPasses, message: CameraMessage, { observed }: Extracted): boolean {
  if (observed.length > 0) {
    const newest = observed.reduce((latest, { capture }) => Math.max(latest, capture.capturedAt), -Infinity)
    return !camera.isNew(contentDigest(message), newest)
  }
  // Its camera may have been removed, or its time may be too old by now, since it was applied.
  if (camera.hasApplied(contentDigest(message))) return true
  const digest = rejectedDigest(message)
  return digest !== undefined && !camera.isNew(digest)
}

/** The time that decides in which hour a dead message is counted: its own when that is plausible, else its arrival. */
function hourTimeOf(message: CameraMessage): number {
  const captured = parseInstant(message.header(HEADER.capturedAt) ?? '') ?? NaN
  return captured >= EARLIEST_CAPTURE && captured <= message.arrivedAt ? captured : message.arrivedAt
}

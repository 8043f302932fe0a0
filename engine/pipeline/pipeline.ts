import { CAMERA_ID } from '../model/camera.js'
import { EARLIEST_CAPTURE, type CameraMessage } from '../model/capture.js'
import type { Source, CaptureObservations, Extracted } from '../sources/source.js'
import { HEADER, partitionName, streamOf, type Partition } from '../nats/topology.js'
import { Sink } from './sink.js'
import { CameraStates } from '../partition/camera_states.js'
import { takeOver } from '../partition/take_over.js'
import { Checkpointer } from './checkpointer.js'
import { InFlight } from './in_flight.js'
import { Progress } from './progress.js'
import { PartitionConsumer, type StreamMessage } from '../partition/partition_consumer.js'
import { PoisonGuard } from './poison_guard.js'
import type { CameraPasses } from '../passes/camera_passes.js'
import { contentDigest, rejectedDigest } from '../passes/recent_messages.js'
import { ledgerPartOf } from '../model/ledger.js'
import { ReadIds } from '../model/read_id.js'
import type { PartitionFrames } from '../pictures/frame_cache.js'
import { sleep } from '../runtime/backoff.js'
import type { PipelineParts } from './pipeline_parts.js'

/** Pictures and publishing that may be unfinished before the pipeline waits. */
const MAX_UNFINISHED = 64
/** Reads of a partition that may wait for a checkpoint: about 20 MB. */
const MAX_READS = 20_000

/**
 * camera -> NATS -> source: decode, find, read -> pass -> match -> hits -> NATS, reads -> ClickHouse; for one partition
 * of the cameras of one entrance.
 *
 *     extract     the source turns each message into detections (frames: by the recognizer), as many at once as slots
 *     apply       in stream order again: passes, votes; the sink matches and sends hits out
 *     checkpoint  once a second the effects of the messages are made durable, then the messages are acknowledged
 *
 * One instance is one tenure of the partition: what it holds in memory is dropped with it, the next one begins at the
 * last checkpoint.
 */
export class Pipeline {
  private readonly inFlight: InFlight<{ message: StreamMessage; extracting: Promise<Extracted> }>

  private constructor(
    private readonly parts: PipelineParts,
    private readonly source: Source,
    private readonly ids: ReadIds,
    private readonly progress: Progress,
    private readonly frames: PartitionFrames,
    private readonly consumer: PartitionConsumer,
    private readonly sink: Sink,
    private readonly checkpointer: Checkpointer,
    private readonly poisonGuard: PoisonGuard,
  ) {
    this.inFlight = new InFlight(source.slots)
  }

  /**
   * Takes the partition over from its previous owner, at its last checkpoint.
   * @param from the number of partitions before, when this partition may have to begin with their states
   * @throws when NATS does not answer, or the previous owner wrote a checkpoint meanwhile
   */
  static async open(partition: Partition, source: Source, parts: PipelineParts, from?: number): Promise<Pipeline> {
    const { manager, js } = parts
    const { log, start } = await takeOver(partition, parts, from)
    const { epoch } = start.stream
    const ids = new ReadIds(epoch, source.entrance.root)
    const name = partitionName(partition)
    const poisonGuard = await PoisonGuard.begin(parts.bucket, name, start.committed, parts.process)
    const rules = { ...source.rules, firstPart: (source.rules.firstPart ?? 0) + ledgerPartOf(epoch) }
    const states = new CameraStates(log.cameras, rules, performance.now())
    const progress = new Progress(start.committed, states)
    const frames = parts.frames.of(streamOf(partition))
    const { created } = start.stream
    const consumer = new PartitionConsumer(js, manager, partition, created, start, source.maxUnacknowledged)
    const sink = new Sink(parts, progress, frames, ids)
    const checkpointer = new Checkpointer(parts, progress, sink, log, frames, start.stream, consumer)
    return new Pipeline(parts, source, ids, progress, frames, consumer, sink, checkpointer, poisonGuard)
  }

  /**
   * Runs until `signal` aborts, then finishes what is in flight and makes a last checkpoint.
   * @throws when another engine fenced this one off or NATS refuses; nothing is lost by that
   */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const ending = AbortSignal.any([signal, failed.signal])
    ending.addEventListener('abort', () => this.inFlight.close())
    const orFail = (work: Promise<void>) =>
      work.catch((error: unknown) => {
        failed.abort(error)
        throw error
      })
    const pulling = this.consumer.run(
      () => this.room(ending),
      (message) => this.extract(message, ending),
      ending,
    )
    const done = await Promise.allSettled([
      orFail(pulling),
      orFail(this.applyInOrder(ending)),
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
    this.consumer.interrupt()
  }

  get gauges(): { openPasses: number; cameras: number; inFlight: number; pending: number } {
    const { openPasses, cameras } = this.progress
    return { openPasses, cameras: cameras.size, inFlight: this.inFlight.size, pending: this.consumer.pending }
  }

  /** Waits while no slots are free or too much is unacknowledged. @returns how many messages may come, 1 or more */
  private async room(signal: AbortSignal): Promise<number> {
    const { parts, progress, source, inFlight } = this
    while (!signal.aborted && progress.applied.seq - progress.committed > source.maxUnacknowledged) {
      parts.metrics.bound(`unacknowledged_${source.entrance.root}`)
      await sleep(50, signal)
    }
    if (this.poisonGuard.careful) {
      await inFlight.whenFree(inFlight.limit)
      return 1
    }
    // Half of the slots at once: a pull costs the client and the server about as much as five messages.
    return Math.max(1, await inFlight.whenFree(inFlight.limit / 2))
  }

  private extract(message: StreamMessage, signal: AbortSignal): void {
    const attempt = () => this.poisonGuard.run(message.seq, () => this.source.extract(message))
    const extracting = this.parts.retry.until(`${this.source.entrance.root} in work`, attempt, signal)
    // `applyInOrder` gets the failure, when it comes to this message.
    extracting.catch(() => {})
    this.inFlight.push({ message, extracting })
  }

  private async applyInOrder(signal: AbortSignal): Promise<void> {
    while (!signal.aborted || this.inFlight.size > 0) {
      const next = await this.inFlight.head()
      if (!next) continue
      const extracted = await next.extracting
      this.inFlight.shift()
      this.apply(next.message, extracted)
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
    const name = CAMERA_ID.test(message.camera) ? message.camera : '_invalid'
    const camera = progress.cameras.get(name, performance.now())
    progress.applied = { seq: message.seq, arrivedAt: message.arrivedAt, message: message.message }
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
    if (detections.length > 0 && capture.jpeg) this.frames.keep(capture.seq, capture.jpeg.slice())
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
  const digest = rejectedDigest(message)
  return digest !== undefined && !camera.isNew(digest)
}

/** The time that decides in which hour a dead message is counted: its own when that is plausible, else its arrival. */
function hourTimeOf(message: CameraMessage): number {
  const captured = Date.parse(message.header(HEADER.capturedAt) ?? '')
  return captured >= EARLIEST_CAPTURE && captured <= message.arrivedAt ? captured : message.arrivedAt
}

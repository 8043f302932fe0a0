import type { KV } from 'nats'
import { CAMERA_ID } from '../model/camera.js'
import { EARLIEST_CAPTURE, type CameraMessage } from '../model/capture.js'
import type { Source, Extracted } from '../sources/source.js'
import { HEADER, partitionKey } from '../nats/topology.js'
import { Sink } from './sink.js'
import { CheckpointStore } from '../partition/checkpoint_store.js'
import { Checkpointer } from './checkpointer.js'
import { Progress } from './progress.js'
import { PartitionConsumer, type StreamMessage } from '../partition/partition_consumer.js'
import { PoisonGuard } from './poison_guard.js'
import { CameraPasses } from '../passes/camera_passes.js'
import { sleep } from '../runtime/backoff.js'
import type { PipelineParts } from './pipeline_parts.js'
import { InFlight } from './in_flight.js'

/** Pictures and publishing that may be unfinished before the pipeline waits. */
const MAX_UNFINISHED = 64
/** Reads that may wait for a checkpoint, for each partition: some 20 MB. */
const MAX_READS = 20_000

/**
 * camera -> NATS -> inlet: decode, find, read -> pass -> match -> hits -> NATS, reads -> ClickHouse; for one partition
 * of the cameras of one entrance.
 *
 *     take        each message of the stream goes to the inlet (of frames: the recognizer), as many at once as there are slots
 *     apply       in stream order again: passes, votes; the outlet matches and sends hits out
 *     checkpoint  once a second what the messages brought about is made durable, then they are acknowledged
 *
 * One instance is one tenure of the partition: what it holds in memory is dropped with it, the next one begins at the
 * last checkpoint.
 */
export class Pipeline {
  private readonly inFlight: InFlight<{ source: StreamMessage; look: Promise<Extracted> }>

  private constructor(
    private readonly parts: PipelineParts,
    private readonly inlet: Source,
    private readonly progress: Progress,
    private readonly source: PartitionConsumer,
    private readonly outlet: Sink,
    private readonly checkpointer: Checkpointer,
    private readonly trial: PoisonGuard,
  ) {
    this.inFlight = new InFlight(inlet.slots)
  }

  /** Takes the partition over from whoever had it, at its last checkpoint. @throws when NATS does not answer */
  static async open(
    partition: number,
    inlet: Source,
    parts: PipelineParts,
    buckets: { passes: KV; floors: KV },
  ): Promise<Pipeline> {
    const memory = new CheckpointStore(
      parts.manager,
      buckets.passes,
      buckets.floors,
      partitionKey(inlet.entrance, partition),
      inlet.rules,
    )
    const { floor, wanted, cameras } = await memory.load()
    await memory.fence(floor, wanted)
    const trial = await PoisonGuard.begin(buckets.floors, partitionKey(inlet.entrance, partition), floor, parts.self)
    const progress = new Progress(floor, cameras)
    const source = new PartitionConsumer(
      parts.js,
      parts.manager,
      inlet.entrance,
      partition,
      parts.partitions,
      floor,
      inlet.maxUnacknowledged,
    )
    const outlet = new Sink(parts, progress)
    return new Pipeline(
      parts,
      inlet,
      progress,
      source,
      outlet,
      new Checkpointer(parts, progress, outlet, memory, source),
      trial,
    )
  }

  /**
   * Runs until `signal` aborts, then finishes what is in flight and makes a last checkpoint. @throws when this engine
   * was fenced off or NATS refuses; nothing is lost by that.
   */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const ending = AbortSignal.any([signal, failed.signal])
    ending.addEventListener('abort', () => this.inFlight.interrupt())
    const orFail = (work: Promise<void>) =>
      work.catch((error: unknown) => {
        failed.abort(error)
        throw error
      })
    const done = await Promise.allSettled([
      orFail(
        this.source.run(
          () => this.room(ending),
          (message) => this.take(message),
          ending,
        ),
      ),
      orFail(this.applyInOrder(ending)),
      orFail(this.checkpointer.run(ending)),
    ])
    try {
      const failure = done.find((result) => result.status === 'rejected')
      if (failure) throw failure.reason
      await this.checkpointer.checkpoint(AbortSignal.timeout(5_000))
    } finally {
      this.parts.recent.drop(this.progress)
    }
  }

  /** The connection broke or came back. */
  interrupt(): void {
    this.source.interrupt()
  }

  get gauges(): { openPasses: number; inFlight: number; pending: number } {
    return { openPasses: this.progress.openPasses, inFlight: this.inFlight.size, pending: this.source.pending }
  }

  /** Messages may come while slots are free and not too much is unacknowledged. */
  private async room(signal: AbortSignal): Promise<number> {
    const { parts, progress, inlet } = this
    while (!signal.aborted && progress.applied.seq - progress.floor > inlet.maxUnacknowledged * parts.partitions) {
      parts.metrics.bound(`unacknowledged_${inlet.entrance.root}`)
      await sleep(50, signal)
    }
    if (this.trial.careful) {
      await this.inFlight.whenFree(this.inFlight.limit)
      return 1
    }
    // Half of them at once: a pull costs the client and the server about as much as five messages.
    return Math.max(1, await this.inFlight.whenFree(this.inFlight.limit / 2))
  }

  private take(source: StreamMessage): void {
    this.inFlight.push({ source, look: this.trial.guard(source.seq, () => this.inlet.look(source)) })
  }

  private async applyInOrder(signal: AbortSignal): Promise<void> {
    while (!signal.aborted || this.inFlight.size > 0) {
      const next = await this.inFlight.head()
      if (!next) continue
      const look = await next.look
      this.inFlight.shift()
      this.apply(next.source, look)
      while (this.progress.epoch.pendingWork > MAX_UNFINISHED) {
        this.parts.metrics.bound('unfinished_work')
        await sleep(5)
      }
      if (this.progress.epoch.reads.size >= MAX_READS) {
        this.parts.metrics.bound('unwritten_reads')
        this.checkpointer.hurry()
        while (this.progress.epoch.reads.size >= MAX_READS && !signal.aborted) await sleep(5)
      }
    }
  }

  private apply(source: StreamMessage, look: Extracted): void {
    const {
      progress,
      inlet,
      parts: { metrics },
    } = this
    const name = CAMERA_ID.test(source.camera) ? source.camera : '_invalid'
    const camera = progress.cameras.get(name) ?? CameraPasses.empty(name, inlet.rules)
    progress.applied = { seq: source.seq, message: source.message }
    // Applied before the restart: its effects are durable already.
    if (source.seq <= camera.seq) return
    if (!camera.isNew(source.header(HEADER.msgId), source.arrivedAt)) return metrics.count('messages_repeated_total')
    progress.cameras.set(name, camera)
    progress.epoch.cameras.add(name)
    const now = performance.now()
    inlet.count(metrics, look)
    for (const refused of look.refused) {
      camera.dead(source.seq, hourTimeOf(source))
      this.outlet.deadLetter(source, refused)
    }
    for (const { moment, detections, first } of look.seen) {
      if (detections.length > 0 && moment.jpeg) this.parts.recent.keep(progress, moment.seq, moment.jpeg.slice())
      const { closed, touched, overflowed } = camera.advance(moment, detections, (index) =>
        inlet.ids.of(moment.seq, first + index),
      )
      if (overflowed) metrics.bound('open_passes')
      for (const pass of closed) this.outlet.enqueue(pass, moment.camera, true)
      progress.rest.frame(name, moment.capturedAt, now)
      for (const pass of touched) {
        progress.rest.touch(pass, now)
        this.outlet.checkEarly(pass, moment.camera)
      }
    }
  }
}

/** The time that decides in which hour a dead message is counted: its own when that is plausible, else its arrival. */
function hourTimeOf(source: CameraMessage): number {
  const captured = Date.parse(source.header(HEADER.capturedAt) ?? '')
  return captured >= EARLIEST_CAPTURE && captured <= source.arrivedAt ? captured : source.arrivedAt
}

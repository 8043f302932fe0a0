import type { KV } from 'nats'
import type { Detection } from '../wasm/mod.js'
import { AlprError, reasonOf } from './errors.js'
import { CAMERA_ID } from './frames/camera.js'
import { EARLIEST_CAPTURE, parseFrame, type Frame, type FrameMessage } from './frames/frame.js'
import { HEADER } from './nats/topology.js'
import { Outlet } from './outlet.js'
import { Checkpoint } from './partition/checkpoint.js'
import { Checkpointer } from './partition/checkpointer.js'
import { Progress } from './partition/progress.js'
import { PartitionSource, type StreamFrame } from './partition/source.js'
import { CameraPasses } from './passes/camera_passes.js'
import { sleep } from './pause.js'
import type { PipelineParts } from './pipeline_parts.js'
import { Slots } from './slots.js'

/** What recognition made of a frame. */
type Recognised = { frame: Frame; detections: Detection[] } | { error: AlprError }

/** Pictures and publishing that may be unfinished before the pipeline waits. */
const MAX_UNFINISHED = 64

/**
 * camera -> NATS -> decode, find, read -> pass -> match -> hits -> NATS, reads -> ClickHouse; for one partition of the cameras.
 *
 *     take        each frame of the stream goes to the recognizer, as many at once as there are slots
 *     apply       in stream order again: passes, votes; the outlet matches and sends hits out
 *     checkpoint  once a second what the frames brought about is made durable, then they are acknowledged
 *
 * One instance is one tenure of the partition: what it holds in memory is dropped with it, the next one begins at the last checkpoint.
 */
export class Pipeline {
  private readonly slots: Slots
  private readonly queue: { source: StreamFrame; recognised: Promise<Recognised> }[] = []
  private arrived: () => void = () => {}

  private constructor(
    private readonly parts: PipelineParts,
    private readonly progress: Progress,
    private readonly source: PartitionSource,
    private readonly outlet: Outlet,
    private readonly checkpointer: Checkpointer,
  ) {
    this.slots = new Slots(parts.slots)
  }

  /** Takes the partition over from whoever had it, at its last checkpoint. @throws when NATS does not answer */
  static async open(partition: number, parts: PipelineParts, buckets: { passes: KV; floors: KV }): Promise<Pipeline> {
    const memory = new Checkpoint(buckets.passes, buckets.floors, partition, parts.passGapMs)
    const { floor, wanted, cameras } = await memory.load()
    await memory.fence(floor, wanted)
    const progress = new Progress(floor, cameras)
    const source = new PartitionSource(parts.js, parts.manager, partition, parts.partitions, floor)
    const outlet = new Outlet(parts, progress)
    return new Pipeline(parts, progress, source, outlet, new Checkpointer(parts, progress, outlet, memory, source))
  }

  /**
   * Runs until `signal` aborts, then finishes what is in flight and makes a last checkpoint. @throws when this engine was fenced off or NATS
   * refuses; nothing is lost by that.
   */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController()
    const ending = AbortSignal.any([signal, failed.signal])
    ending.addEventListener('abort', () => { this.slots.interrupt(); this.arrived() })
    const orFail = (work: Promise<void>) => work.catch((error: unknown) => { failed.abort(error); throw error })
    const done = await Promise.allSettled([
      orFail(this.source.run(() => this.room(ending), (frame) => this.take(frame), ending)),
      orFail(this.applyInOrder(ending)),
      orFail(this.checkpointer.run(ending)),
    ])
    const failure = done.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
    await this.checkpointer.checkpoint(AbortSignal.timeout(5_000))
  }

  /** The connection broke or came back. */
  interrupt(): void {
    this.source.interrupt()
  }

  get gauges(): { openPasses: number; inFlight: number; pending: number } {
    return { openPasses: this.progress.openPasses, inFlight: this.queue.length, pending: this.source.pending }
  }

  /** Frames may come while slots are free and not too much is unacknowledged. */
  private async room(signal: AbortSignal): Promise<number> {
    const { parts, progress } = this
    while (!signal.aborted && progress.applied.seq - progress.floor > PartitionSource.MAX_UNACKNOWLEDGED * parts.partitions) {
      parts.metrics.bound('unacknowledged_frames')
      await sleep(50, signal)
    }
    return Math.max(1, await this.slots.room())
  }

  private take(source: StreamFrame): void {
    this.slots.take()
    this.queue.push({ source, recognised: this.recognise(source) })
    this.arrived()
  }

  private async recognise(source: StreamFrame): Promise<Recognised> {
    const { cameras, recognizer, metrics, futureToleranceMs } = this.parts
    try {
      // A camera may have been registered a moment before its first frame.
      if (!cameras.cameras.has(source.camera)) await cameras.refresh(source.camera)
      const frame = parseFrame(source, cameras.cameras, futureToleranceMs)
      const { detections, ms } = await recognizer.recognize(frame.jpeg)
      metrics.count('decode_ms_total', ms.decode)
      metrics.count('recognize_ms_total', ms.recognize)
      return { frame, detections }
    } catch (error) {
      return { error: error instanceof AlprError ? error : new AlprError('ALPR_ERR_FRAME_CRASHED', { reason: reasonOf(error) }, { cause: error }) }
    }
  }

  private async applyInOrder(signal: AbortSignal): Promise<void> {
    while (!signal.aborted || this.queue.length > 0) {
      const next = this.queue[0]
      if (!next) {
        await new Promise<void>((resolve) => { this.arrived = resolve; if (signal.aborted) resolve() })
        continue
      }
      const recognised = await next.recognised
      this.queue.shift()
      this.slots.release()
      this.apply(next.source, recognised)
      while (this.progress.epoch.pendingWork > MAX_UNFINISHED) {
        this.parts.metrics.bound('unfinished_work')
        await sleep(5)
      }
    }
  }

  private apply(source: StreamFrame, recognised: Recognised): void {
    const { progress, parts: { metrics, ids, passGapMs } } = this
    const name = CAMERA_ID.test(source.camera) ? source.camera : '_invalid'
    const camera = progress.cameras.get(name) ?? CameraPasses.empty(name, passGapMs)
    progress.applied = { seq: source.seq, message: source.message }
    // Applied before the restart: its effects are durable already.
    if (source.seq <= camera.seq) return
    progress.cameras.set(name, camera)
    progress.epoch.cameras.add(name)
    progress.lastSeen.set(name, Date.now())
    metrics.count('frames_total')
    if ('error' in recognised) {
      metrics.count('frames_dead_total')
      camera.dead(source.seq, hourTimeOf(source))
      this.outlet.bury(source, recognised.error)
      return
    }
    const { frame, detections } = recognised
    metrics.count(detections.length > 0 ? 'frames_with_reads_total' : 'frames_without_plate_total')
    metrics.count('detections_total', detections.length)
    metrics.gauge('delay_seconds', Math.max(0, Date.now() - frame.capturedAt) / 1000)
    if (detections.length > 0) this.parts.recent.keep(frame.seq, frame.jpeg.slice())

    const { closed, touched, overflowed } = camera.advance(frame, detections, (index) => ids.of(frame.seq, index))
    if (overflowed) metrics.bound('open_passes')
    for (const pass of closed) this.outlet.store(pass, frame.camera, true)
    for (const pass of touched) this.outlet.look(pass, frame.camera)
  }
}

/** The time that decides in which hour a dead frame is counted: its own when that is plausible, else its arrival. */
function hourTimeOf(source: FrameMessage): number {
  const captured = Date.parse(source.header(HEADER.capturedAt) ?? '')
  return captured >= EARLIEST_CAPTURE && captured <= source.arrivedAt ? captured : source.arrivedAt
}

import type { Sink } from './sink.js'
import { formerCamera } from '../passes/former_camera.js'
import type { CameraPasses } from '../passes/camera_passes.js'
import type { OpenPass } from '../passes/pass.js'
import type { PartitionFrames } from '../pictures/frame_cache.js'
import { sleep } from '../runtime/backoff.js'
import { natsReason } from '../nats/errors.js'
import { TimeSlice } from '../runtime/time_slice.js'
import type { PipelineParts } from './pipeline_parts.js'
import { type CheckpointLog, isFenced } from '../partition/checkpoint_log.js'
import type { Packed } from '../partition/packed.js'
import { saveState } from '../partition/saved_state.js'
import type { PartitionConsumer } from '../partition/partition_consumer.js'
import { firstUndone, type BehindPosition, type Position, type StreamIdentity } from '../partition/position.js'
import type { Epoch } from './epoch.js'
import type { Progress } from './progress.js'
import { StreamTrimmer } from './stream_trimmer.js'
import type { Pulled } from './window.js'

/** Cameras that sent nothing for long are looked for this often, ms. */
const SETTLE_MS = 30_000

/** Acknowledges a message, and with AckPolicy.All all before it. */
const kAck = new TextEncoder().encode('+ACK')
/** A last checkpoint stores passes for this long, ms: its owner must give the partition back soon. */
const LAST_MS = 1_000

/** What a checkpoint writes, taken at one instant between two messages. */
interface Cut {
  epoch: Epoch
  /** The last message up to which the cut contains all, but for those of `behind`. */
  done: Pulled
  behind: BehindPosition[]
  states: [camera: string, state: Packed][]
  /** Cameras that are forgotten. */
  gone: string[]
  ledger: ReturnType<CameraPasses['takeLedger']>
  /** By camera, the first frame that its open passes may want. */
  wanted: [camera: string, seq: number][]
  bestFrames: Set<number>
}

/**
 * Makes the effects of messages durable, then acknowledges the messages; later ones are processed in the meantime.
 *
 *     cut the epoch, copy the cameras' state      at one instant, between two messages
 *     pictures, hits, dead letters are out        the epoch's work
 *     pictures on disk, rows in ClickHouse
 *     cameras and position, in one append         compare-and-set: a fenced engine stops here
 *     acknowledge, delete from the stream
 *
 * After a crash at any point some messages come again; their effects are idempotent.
 */
export class Checkpointer {
  private readonly trimmer: StreamTrimmer
  private step: string | undefined
  private settledAt = -Infinity
  private pause = new AbortController()
  /** There is enough to write: `hurry` was called since the last cut. */
  private hurried = false
  /** When the last message committed arrived, ms. */
  private committedAt: number | undefined
  /**
   * By camera, the first frame that its *saved* state may want again: memory may have moved on to better pictures, but
   * a restart begins at what was saved.
   */
  private readonly wanted = new Map<string, number>()

  constructor(
    private readonly parts: PipelineParts,
    private readonly progress: Progress,
    private readonly sink: Sink,
    private readonly log: CheckpointLog,
    private readonly frames: PartitionFrames,
    private readonly stream: StreamIdentity,
    consumer: Pick<PartitionConsumer, 'isSure' | 'pending'>,
  ) {
    this.trimmer = new StreamTrimmer(parts, progress, log, stream, consumer)
    this.committedAt = log.position?.committedAt
    for (const camera of progress.cameras.all()) this.want(camera.camera, firstWantedOf(camera))
  }

  /**
   * Makes a checkpoint every `batchMs` until `signal` aborts, at the same times in all partitions: their rows reach the
   * store together, in one insert or two, which cost as much as those of one partition. @throws ALPR_ERR_STATE_FENCED
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.pause = new AbortController()
      if (this.hurried) this.pause.abort()
      await sleep(untilBeat(performance.now(), this.parts.batchMs), AbortSignal.any([signal, this.pause.signal]))
      if (!signal.aborted) await this.checkpoint(signal)
    }
  }

  /** Makes the next checkpoint now, or as soon as the current one is done: there is enough to write. */
  hurry(): void {
    this.hurried = true
    this.pause.abort()
  }

  /**
   * Retries what needs a server until `signal` aborts.
   * @param last no message will follow: passes that are open are stored as they are
   */
  async checkpoint(signal: AbortSignal, last = false): Promise<void> {
    const { progress } = this
    await this.storeIdlePasses(last, signal)
    const gone = this.settle()
    this.sink.settleEarlier()
    const { window, behind, epoch } = progress
    const isIdle = window.done.seq === window.committed && epoch.cameras.size === 0 && !behind.hasChanged
    if (isIdle && gone.length === 0) return this.trimmer.run(this.wanted)
    const cut = this.cut(gone)
    await this.writeOutputs(cut, signal)
    await this.commit(cut, signal)
    this.trimmer.run(this.wanted)
  }

  private cut(gone: string[]): Cut {
    const { progress } = this
    const { done } = progress.window
    const behind = progress.behind.takePositions(done.seq)
    const epoch = progress.cut()
    this.hurried = false
    const now = Date.now()
    const cameras = [...epoch.cameras].map((name) => progress.cameras.peek(name)!)
    return {
      epoch,
      done,
      behind,
      gone,
      ledger: cameras.flatMap((camera) => camera.takeLedger()),
      states: cameras.map((camera) => [camera.camera, saveState(camera, now)]),
      wanted: cameras.map((camera) => [camera.camera, firstWantedOf(camera)]),
      bestFrames: progress.bestFrames(),
    }
  }

  private async writeOutputs({ epoch, done, ledger, bestFrames }: Cut, signal: AbortSignal): Promise<void> {
    const { parts } = this
    this.step = 'hits, pictures or dead letters that are not out'
    await epoch.settled()
    // The pictures of passes that ended are made; those open at the cut may still want theirs.
    this.frames.drop(done.seq, bestFrames)
    this.step = 'pictures'
    await parts.retry.until('pictures', () => parts.pictures.sync(), signal)
    const batch = { reads: [...epoch.reads.values()], hits: epoch.hits, ledger }
    this.step = 'clickhouse'
    await parts.retry.until('clickhouse', () => parts.store.write(batch), signal)
    this.sink.showLive(epoch)
  }

  private async commit({ epoch, states, gone, wanted, done, behind }: Cut, signal: AbortSignal): Promise<void> {
    const { parts, progress, log } = this
    for (const [name, seq] of wanted) this.want(name, seq)
    if (done.arrivedAt !== undefined) this.committedAt = done.arrivedAt
    const position: Position = {
      committed: done.seq,
      committedAt: this.committedAt,
      wanted: this.firstWanted(firstUndone({ committed: done.seq, behind })),
      stream: this.stream,
      ...(behind.length > 0 && { behind }),
    }
    this.step = 'nats'
    const append = log.prepare({ position, states, gone, decided: epoch.decided })
    const written = log.bytesWritten
    await parts.retry.until('nats', () => append.write(), signal, isFenced)
    parts.metrics.count('checkpoint_bytes_total', log.bytesWritten - written)
    progress.window.committed = done.seq
    this.step = undefined
    // A restart uses the position in the log; the consumer's own is for monitoring, so one attempt is enough.
    if (done.reply) await parts.connection.request(done.reply, kAck, { timeout: 2_000 }).catch(() => {})
  }

  /** What the checkpoint that is being made waits for, in words; undefined between two. */
  get waitsFor(): string | undefined {
    const { step } = this
    const reason = step && this.parts.retry.reasons[step]
    return reason ? `${step}: ${reason}` : step
  }

  /** The last message that was deleted from the stream, and why later ones that are done with are not. */
  get deleted(): { seq: number; isBehind: boolean; by: string } {
    const { deleted } = this.trimmer
    return { seq: deleted, isBehind: deleted < this.progress.window.committed, by: this.keeper }
  }

  private get keeper(): string {
    const { wanted = 0, behind = [] } = this.log.position ?? {}
    for (const [camera, seq] of this.wanted)
      if (seq === wanted) return `camera ${camera}, whose frame ${seq} may be needed for the picture of an open pass`
    for (const { camera, done } of behind) if (done + 1 === wanted) return `camera ${camera}, which is behind`
    const { failure } = this.trimmer
    return `nats: ${failure === undefined ? 'nothing could be deleted yet' : natsReason(failure)}`
  }

  private want(camera: string, seq: number): void {
    if (seq === Infinity) this.wanted.delete(camera)
    else this.wanted.set(camera, seq)
  }

  private firstWanted(undone: number): number {
    let first = undone
    for (const seq of this.wanted.values()) first = Math.min(first, seq)
    return first
  }

  /** Puts cameras away that do not send. @returns those that are forgotten */
  private settle(): string[] {
    const { cameras, epoch, behind } = this.progress
    const now = performance.now()
    if (now - this.settledAt < SETTLE_MS) return []
    this.settledAt = now
    for (const camera of cameras.withOpenPasses()) {
      const isFormer = !this.parts.cameras.cameras.has(camera) && cameras.isQuiet(camera, now)
      if (!isFormer || behind.doneOf(camera) !== undefined) continue
      this.closeAll(cameras.get(camera, now))
      epoch.cameras.add(camera)
    }
    // What they wait for would need memory as long as they are known.
    for (const passes of cameras.idle(now)) {
      if (!passes.lingers || behind.doneOf(passes.camera) !== undefined) continue
      this.close(passes.camera, passes.stopLingering())
      epoch.cameras.add(passes.camera)
    }
    cameras.settle(now, epoch.cameras)
    const gone = cameras.forgotten(Date.now())
    for (const camera of gone) this.forget(camera, now)
    return gone
  }

  /** Drops the state of a camera; what it had in view is stored with the checkpoint that drops it. */
  private forget(camera: string, now: number): void {
    const { cameras } = this.progress
    if (cameras.hasOpenPasses(camera)) this.closeAll(cameras.get(camera, now))
    cameras.forget(camera)
  }

  /** Closes and stores the open passes of a camera that is not heard again: it left the registry, or is silent. */
  private closeAll(passes: CameraPasses): void {
    this.close(passes.camera, passes.closeAll())
  }

  private close(name: string, passes: readonly OpenPass[]): void {
    const camera = this.parts.cameras.cameras.get(name)
    for (const pass of passes) this.sink.enqueue(pass, camera ?? formerCamera(name, pass), true)
  }

  /**
   * Stores idle passes as they are and leaves them open: a read waits neither for the gap that closes its pass nor for
   * the next car. After a take-over those of all cameras are idle at once: messages and leases must not wait for them.
   */
  private async storeIdlePasses(all: boolean, signal: AbortSignal): Promise<void> {
    const now = performance.now()
    const slice = new TimeSlice()
    for (const name of [...this.progress.idle.active(now)]) {
      this.storeIdlePassesOf(name, all, now)
      if (!slice.isOver) continue
      await slice.next()
      // What is left the next owner stores.
      if (signal.aborted || (all && performance.now() - now > LAST_MS)) return
    }
  }

  private storeIdlePassesOf(name: string, all: boolean, now: number): void {
    const { progress, parts, sink } = this
    const passes = progress.cameras.peek(name)
    const camera = parts.cameras.cameras.get(name)
    if (!passes) return
    for (const pass of passes.changeable())
      if ((all || progress.idle.isIdle(name, pass, now)) && sink.storeIdle(pass, camera ?? formerCamera(name, pass)))
        progress.epoch.cameras.add(name)
  }
}

/**
 * Time to the next multiple of `every`, or to the one after it when that is near: half of `every` to one and a half,
 * ms.
 */
export function untilBeat(now: number, every: number): number {
  const left = every - (now % every)
  return left < every / 2 ? left + every : left
}

/** The first frame that a pass may want for its picture; Infinity when all have theirs. */
function firstWantedOf(camera: CameraPasses): number {
  let first = Infinity
  for (const { state } of camera.changeable())
    if (!state.pictures && state.best.seq !== undefined && state.pictureless !== state.best.seq)
      first = Math.min(first, state.best.seq)
  return first
}

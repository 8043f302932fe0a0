import { codeOf } from '../errors.js'
import type { Sink } from './sink.js'
import type { CameraPasses } from '../passes/camera_passes.js'
import { sleep } from '../runtime/backoff.js'
import type { PipelineParts } from './pipeline_parts.js'
import type { CheckpointStore } from '../partition/checkpoint_store.js'
import type { Epoch } from './epoch.js'
import type { Progress } from './progress.js'
import type { PartitionConsumer } from '../partition/partition_consumer.js'
import { StreamTrimmer } from '../partition/stream_trimmer.js'

/** A partition without messages advances its committed offset at most this often, so that it never delays trimming. */
const IDLE_MS = StreamTrimmer.EVERY_MS

/** What a checkpoint writes, taken at one instant between two messages. */
interface Cut {
  epoch: Epoch
  /** The last message that the cut contains. */
  applied: Progress['applied']
  /** The state of each camera as JSON. */
  states: [camera: string, json: string][]
  ledger: ReturnType<CameraPasses['takeLedger']>
  /** By camera, the first frame that its open passes may want. */
  wanted: [camera: string, seq: number][]
  bestFrames: Set<number>
}

const isFenced = (error: unknown) => codeOf(error) === 'ALPR_ERR_STATE_FENCED'

/**
 * Makes the effects of messages durable, then acknowledges the messages; later ones are processed in the meantime.
 *
 *     cut the epoch, copy the cameras' state      at one instant, between two messages
 *     pictures, hits, dead letters are out        the epoch's work
 *     pictures on disk, rows in ClickHouse
 *     cameras, then the committed offset          compare-and-set: a fenced engine stops here
 *     acknowledge
 *
 * After a crash at any point some messages come again; their effects are idempotent.
 */
export class Checkpointer {
  private idleAt = -Infinity
  private pause = new AbortController()
  /** There is enough to write: `hurry` was called since the last cut. */
  private hurried = false
  /**
   * By camera, the first frame that its *saved* state may want again: memory may have moved on to better pictures, but
   * a restart begins at what was saved.
   */
  private readonly wanted = new Map<string, number>()

  constructor(
    private readonly parts: PipelineParts,
    private readonly progress: Progress,
    private readonly sink: Sink,
    private readonly checkpoints: CheckpointStore,
    private readonly consumer: Pick<PartitionConsumer, 'idleUpTo'>,
  ) {
    for (const [name, camera] of progress.cameras) this.wanted.set(name, firstWantedOf(camera))
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

  /** Retries what needs a server until `signal` aborts. */
  async checkpoint(signal: AbortSignal): Promise<void> {
    const { progress } = this
    this.storeIdlePasses()
    if (progress.applied.seq === progress.committed && progress.epoch.cameras.size === 0) return this.commitIdle(signal)
    const cut = this.cut()
    await this.writeOutputs(cut, signal)
    await this.commit(cut, signal)
  }

  private cut(): Cut {
    const { progress } = this
    const { applied } = progress
    const epoch = progress.cut()
    this.hurried = false
    const cameras = [...epoch.cameras].map((name) => progress.cameras.get(name)!)
    return {
      epoch,
      applied,
      ledger: cameras.flatMap((camera) => camera.takeLedger()),
      states: cameras.map((camera) => [camera.camera, JSON.stringify(camera)]),
      wanted: cameras.map((camera) => [camera.camera, firstWantedOf(camera)]),
      bestFrames: progress.bestFrames(),
    }
  }

  private async writeOutputs({ epoch, applied, ledger, bestFrames }: Cut, signal: AbortSignal): Promise<void> {
    const { parts, progress } = this
    await epoch.settled()
    // The pictures of passes that ended are made; those open at the cut may still want theirs.
    parts.frames.drop(progress, applied.seq, bestFrames)
    await parts.retry.until('pictures', () => parts.pictures.sync(), signal)
    const batch = { reads: [...epoch.reads.values()], hits: epoch.hits, ledger }
    await parts.retry.until('clickhouse', () => parts.store.write(batch), signal)
    parts.metrics.count('reads_total', epoch.reads.size)
    this.sink.showLive(epoch)
  }

  private async commit({ states, wanted, applied }: Cut, signal: AbortSignal): Promise<void> {
    const { parts, progress, checkpoints } = this
    await parts.retry.until('nats', () => checkpoints.saveCameras(states), signal, isFenced)
    for (const [name, seq] of wanted) this.wanted.set(name, seq)
    await this.saveOffset(applied.seq, signal)
    progress.committed = applied.seq
    // A restart uses the offset in the bucket; the consumer's own is for monitoring, so one attempt is enough.
    await applied.message?.ackAck({ timeout: 2_000 }).catch(() => false)
  }

  /**
   * Stores idle passes as they are and leaves them open: a read waits neither for the gap that closes its pass nor for
   * the next car.
   */
  private storeIdlePasses(): void {
    const { progress, parts } = this
    const now = performance.now()
    for (const name of progress.idle.active(now)) {
      const camera = parts.cameras.cameras.get(name)
      if (!camera) continue
      for (const pass of progress.cameras.get(name)?.open() ?? []) {
        if (progress.idle.isIdle(name, pass, now) && this.sink.storeIdle(pass, camera)) progress.epoch.cameras.add(name)
      }
    }
  }

  /** Nothing is in work. If the stream has nothing for this partition either, everything on it now is done. */
  private async commitIdle(signal: AbortSignal): Promise<void> {
    if (performance.now() - this.idleAt < IDLE_MS) return
    this.idleAt = performance.now()
    const { progress } = this
    const { committed, applied } = progress
    const idleUpTo = await this.consumer.idleUpTo(applied.seq).catch(() => undefined)
    if (idleUpTo === undefined || idleUpTo <= committed) return
    // A message may have come in meanwhile; then the next checkpoint commits.
    if (progress.applied.seq !== progress.committed || progress.epoch.cameras.size > 0) return
    await this.saveOffset(idleUpTo, signal)
    progress.commitIdle(idleUpTo)
  }

  private async saveOffset(committed: number, signal: AbortSignal): Promise<void> {
    const wanted = Math.min(committed + 1, ...this.wanted.values())
    await this.parts.retry.until('nats', () => this.checkpoints.saveOffset(committed, wanted), signal, isFenced)
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

/** The first frame that an open pass may want for its picture; Infinity when all have theirs. */
function firstWantedOf(camera: CameraPasses): number {
  let first = Infinity
  for (const { state } of camera.open())
    if (!state.pictures && state.best.seq !== undefined) first = Math.min(first, state.best.seq)
  return first
}

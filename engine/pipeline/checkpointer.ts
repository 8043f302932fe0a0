import { codeOf } from '../errors.js'
import type { Sink } from './sink.js'
import type { CameraPasses } from '../passes/camera_passes.js'
import { sleep } from '../runtime/backoff.js'
import type { PipelineParts } from './pipeline_parts.js'
import type { CheckpointStore } from '../partition/checkpoint_store.js'
import type { Progress } from './progress.js'
import type { PartitionConsumer } from '../partition/partition_consumer.js'
import { StreamTrimmer } from '../partition/stream_trimmer.js'

/** A partition without frames moves its floor up at most this often, so that it holds up no other's trimming. */
const IDLE_MS = StreamTrimmer.EVERY_MS

/**
 * Makes what the frames brought about durable, then acknowledges them; frames go on meanwhile.
 *
 *     cut the epoch, take the cameras' state      at one moment, between two frames
 *     pictures, hits, dead letters are out        the epoch's work
 *     pictures on disk, rows in ClickHouse
 *     cameras, then the floor                     compare-and-set: a fenced engine stops here
 *     acknowledge
 *
 * A crash at any point leaves frames to come again whose effects are idempotent.
 */
export class Checkpointer {
  private movedAt = -Infinity
  private pause = new AbortController()
  /** There is enough to write: said since the last cut. */
  private hurried = false
  /**
   * By camera, the first frame that its *saved* state may ask for again: memory may have moved on to better pictures,
   * but a restart begins at what was saved.
   */
  private readonly wanted = new Map<string, number>()

  constructor(
    private readonly parts: PipelineParts,
    private readonly progress: Progress,
    private readonly outlet: Sink,
    private readonly memory: CheckpointStore,
    private readonly source: Pick<PartitionConsumer, 'idleUpTo'>,
  ) {
    for (const [name, camera] of progress.cameras) this.wanted.set(name, firstWantedOf(camera))
  }

  /**
   * A checkpoint every `batchMs` until `signal` aborts, at the same moments in all partitions: their rows reach the
   * store together and are written by one insert or two, which cost as much as those of one partition. @throws
   * ALPR_ERR_STATE_FENCED
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.pause = new AbortController()
      if (this.hurried) this.pause.abort()
      await sleep(untilBeat(performance.now(), this.parts.batchMs), AbortSignal.any([signal, this.pause.signal]))
      if (!signal.aborted) await this.checkpoint(signal)
    }
  }

  /** The next checkpoint comes at once, or as soon as the one under way is done: there is enough to write. */
  hurry(): void {
    this.hurried = true
    this.pause.abort()
  }

  /** What has to wait for a server waits until `signal` aborts. */
  async checkpoint(signal: AbortSignal): Promise<void> {
    const { parts, progress } = this
    this.storeResting()
    const { applied } = progress
    if (applied.seq === progress.floor && progress.epoch.cameras.size === 0) return this.moveIdleFloor(signal)
    const epoch = progress.cut()
    this.hurried = false
    const touched = [...epoch.cameras].map((name) => progress.cameras.get(name)!)
    const ledger = touched.flatMap((camera) => camera.takeLedger())
    const states = touched.map((camera): [string, string] => [camera.camera, JSON.stringify(camera)])
    const wanted = touched.map((camera): [string, number] => [camera.camera, firstWantedOf(camera)])
    const shown = progress.bestFrames()

    await epoch.settled()
    // The pictures of passes that ended are made; those that were open at the cut may still want theirs.
    parts.recent.drop(progress, applied.seq, shown)
    await parts.waiting.until('pictures', () => parts.pictures.sync(), signal)
    await parts.waiting.until(
      'clickhouse',
      () => parts.store.write({ reads: [...epoch.reads.values()], hits: epoch.hits, ledger }),
      signal,
    )
    parts.metrics.count('reads_total', epoch.reads.size)
    this.outlet.showLive(epoch)

    const fenced = (error: unknown) => codeOf(error) === 'ALPR_ERR_STATE_FENCED'
    await parts.waiting.until('nats', () => this.memory.saveCameras(states), signal, fenced)
    for (const [name, seq] of wanted) this.wanted.set(name, seq)
    await parts.waiting.until(
      'nats',
      () => this.memory.saveFloor(applied.seq, this.firstWanted(applied.seq)),
      signal,
      fenced,
    )
    progress.floor = applied.seq
    // A restart goes by the floor in the bucket; the consumer's own is for monitoring, so one try is enough.
    await applied.message?.ackAck({ timeout: 2_000 }).catch(() => false)
  }

  /**
   * Passes that came to rest are stored as they stand, and stay open: a read waits neither for the gap that closes its
   * pass nor for the next car.
   */
  private storeResting(): void {
    const { progress, parts } = this
    const now = performance.now()
    for (const name of progress.rest.awake(now)) {
      const camera = parts.cameras.cameras.get(name)
      if (!camera) continue
      for (const pass of progress.cameras.get(name)?.open() ?? []) {
        if (progress.rest.rests(name, pass, now) && this.outlet.storeResting(pass, camera))
          progress.epoch.cameras.add(name)
      }
    }
  }

  /** Nothing is in work: when the stream has nothing for this partition either, all that it holds now is done. */
  private async moveIdleFloor(signal: AbortSignal): Promise<void> {
    if (performance.now() - this.movedAt < IDLE_MS) return
    this.movedAt = performance.now()
    const { progress, parts } = this
    const floor = await this.source.idleUpTo(progress.applied.seq).catch(() => undefined)
    // A frame may have come in meanwhile: then it is the next checkpoint's turn.
    if (
      floor === undefined ||
      floor <= progress.floor ||
      progress.applied.seq !== progress.floor ||
      progress.epoch.cameras.size > 0
    )
      return
    const fenced = (error: unknown) => codeOf(error) === 'ALPR_ERR_STATE_FENCED'
    await parts.waiting.until('nats', () => this.memory.saveFloor(floor, this.firstWanted(floor)), signal, fenced)
    progress.moveFloor(floor)
  }

  /** The first frame that may be asked for again when `floor` is done. */
  private firstWanted(floor: number): number {
    return Math.min(floor + 1, ...this.wanted.values())
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

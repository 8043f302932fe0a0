import type { StreamState } from 'nats'
import { partitionOfCamera } from '../nats/partitioning.js'
import { isSince210 } from '../nats/setup.js'
import { cameraOf, streamOf } from '../nats/topology.js'
import { stateNameOf } from '../partition/camera_states.js'
import type { CheckpointLog } from '../partition/checkpoint_log.js'
import type { PartitionConsumer } from '../partition/partition_consumer.js'
import type { Position, StreamIdentity } from '../partition/position.js'
import type { PipelineParts } from './pipeline_parts.js'
import type { Progress } from './progress.js'

/** The stream is cut at its beginning at most this often, ms, while it is not crowded. */
const kTrimMs = 5_000
/** A stream that may fill is looked at this often, ms. */
const kLookMs = 500
/** Above this share of its bound, messages that are done leave a stream one camera after the other. */
const kCrowded = 0.5
/** Above this share, cameras that are behind have a bound. */
const kNearlyFull = 0.75
/** All cameras that are behind may keep this share of the stream. */
const kBehindShare = 0.5
/** And each this many times what a camera of the stream has on average: where all have too much, none is at fault. */
const kFairShare = 1.5
/** Deleting camera by camera takes this long at a time, ms: each costs the server some milliseconds. */
const kPurgeMs = 2_000

/** A stream as the server describes it. */
interface Described {
  name: string
  state: StreamState
  /** Bound in bytes; 0 or less: none. */
  limit: number
}

/**
 * Deletes from the stream of a partition what its checkpoints are done with: pictures of people's cars are kept no
 * longer than needed, and a full stream refuses publishers.
 *
 *     all up to the first message that is not done or that a picture wants     every 5 s; the server drops whole blocks
 *     more than half full: what else is done, camera by camera                 the one that holds the rest is behind
 *     more than three quarters: cameras behind keep a bounded part             what is more becomes dead letters
 */
export class StreamTrimmer {
  /** All messages up to this one were deleted. */
  deleted = 0
  /** Why nothing could be deleted at the last attempt. */
  failure: unknown
  private lookedAt = -Infinity
  private trimmedAt = -Infinity
  private isRunning = false
  private isCrowded = false
  /** By subject, up to where its messages were deleted. */
  private readonly deletedOf = new Map<string, number>()

  constructor(
    private readonly parts: PipelineParts,
    private readonly progress: Progress,
    private readonly log: CheckpointLog,
    private readonly stream: StreamIdentity,
    private readonly consumer: Pick<PartitionConsumer, 'isSure' | 'pending'>,
  ) {}

  /**
   * Begins to trim, if it is time. To be called just after this engine proved that it owns the partition; the next call
   * makes up for a failure.
   * @param wanted by camera, the first message that a saved state may want for a picture
   */
  run(wanted: ReadonlyMap<string, number>): void {
    const { position } = this.log
    const now = performance.now()
    if (!position || this.isRunning || !this.consumer.isSure || now - this.lookedAt < kLookMs) return
    const mayFill = this.consumer.pending > 0 || this.progress.behind.size > 0 || this.isCrowded
    if (!mayFill && !this.isTimeToTrim(position)) return
    this.lookedAt = now
    this.isRunning = true
    this.trim(position, new Map(wanted))
      .then(
        () => {
          this.failure = undefined
        },
        (error: unknown) => {
          this.failure = error
        },
      )
      .finally(() => {
        this.isRunning = false
      })
  }

  private async trim(position: Position, wanted: ReadonlyMap<string, number>): Promise<void> {
    let found = await this.describe(position)
    if (!found) return
    this.isCrowded = this.canDeleteByCamera && isAbove(kCrowded, found)
    if (this.isTimeToTrim(position)) {
      this.trimmedAt = performance.now()
      // `seq` is the first message that stays.
      await this.parts.manager.streams.purge(found.name, { seq: position.wanted })
      this.deleted = position.wanted - 1
      if (this.isCrowded) found = await this.describe(position)
      if (!found) return
      this.isCrowded = this.canDeleteByCamera && isAbove(kCrowded, found)
    }
    if (!this.isCrowded) this.deletedOf.clear()
    else if (position.wanted <= position.committed) {
      await this.deleteByCamera(found, position, wanted)
      found = await this.describe(position)
      if (!found) return
    }
    this.boundCamerasBehind(found)
  }

  /**
   * nats-server 2.9 loses messages that arrive while others are deleted by subject: 1 of 600 in 4 of 6 runs, 2.10 and
   * 2.15 none in 6. There a camera that is behind can fill its stream.
   */
  private get canDeleteByCamera(): boolean {
    return isSince210(this.parts.connection.info?.version ?? '')
  }

  private isTimeToTrim({ wanted }: Position): boolean {
    return wanted > this.deleted + 1 && (this.isCrowded || performance.now() - this.trimmedAt >= kTrimMs)
  }

  /** @returns undefined when it is not the stream of the checkpoint: somebody may have recreated it, or set it back */
  private async describe({ committed }: Position): Promise<Described | undefined> {
    const name = streamOf(this.log.partition)
    const { created, state, config } = await this.parts.manager.streams.info(name)
    if (created !== this.stream.created || state.last_seq < committed || !this.consumer.isSure) return undefined
    return { name, state, limit: config.max_bytes }
  }

  /**
   * Deletes what is done and newer than the oldest message that is not, the largest number of a camera first. Only what
   * the last checkpoint says is done.
   */
  private async deleteByCamera(
    { name, state }: Described,
    { committed, behind = [] }: Position,
    wanted: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { streams } = this.parts.manager
    const doneOf = new Map(behind.map(({ camera, done }) => [camera, done]))
    const { subjects = {} } = (await streams.info(name, { subjects_filter: '>' })).state
    const end = performance.now() + kPurgeMs
    for (const [subject] of Object.entries(subjects).sort(([, one], [, other]) => other - one)) {
      // A filter with a wildcard would delete the messages of other cameras.
      if (/[*>]/.test(subject)) continue
      const camera = cameraOf(subject)
      const first = wanted.get(stateNameOf(camera)) ?? Infinity
      const last = Math.min(committed, doneOf.get(camera) ?? Infinity, first - 1)
      if (last < state.first_seq || last <= (this.deletedOf.get(subject) ?? 0)) continue
      if (performance.now() > end || !this.consumer.isSure) return
      await streams.purge(name, { filter: subject, seq: last + 1 })
      this.deletedOf.set(subject, last)
    }
  }

  /** While the stream is nearly full, no camera that is behind keeps much more of it than its share. */
  private boundCamerasBehind(found: Described): void {
    const { behind, cameras } = this.progress
    if (!this.canDeleteByCamera || !isAbove(kNearlyFull, found)) return behind.bound(Infinity, 0)
    const { state, limit } = found
    const sharers = Math.max(cameras.workingCount, this.hasSeveralCameras() ? 2 : 1)
    const share = Math.max((kBehindShare * limit) / Math.max(1, behind.size), (kFairShare * state.bytes) / sharers)
    behind.bound(share, sharers)
  }

  /** Whether cameras are registered that may want to send, but are refused. */
  private hasSeveralCameras(): boolean {
    const { count, index } = this.log.partition
    let found = 0
    for (const camera of this.parts.cameras.cameras.keys())
      if ((count === 0 || partitionOfCamera(camera, count) === index) && ++found > 1) return true
    return false
  }
}

const isAbove = (share: number, { state, limit }: Described): boolean => limit > 0 && state.bytes > share * limit

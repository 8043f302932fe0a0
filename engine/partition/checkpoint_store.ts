import type { JetStreamManager, KV } from 'nats'
import { AlprError } from '../errors.js'
import { isWrongLastSequence } from '../nats/errors.js'
import { keysOf } from '../nats/kv_keys.js'
import { BUCKET } from '../nats/topology.js'
import { CameraPasses, type PassRules } from '../passes/camera_passes.js'

/** What is kept of a partition in FLOORS; stream sequences. */
export interface SavedOffset {
  floor: number
  wanted: number
}

/**
 * The durable memory of a partition, in two buckets:
 *
 *     PASSES  <partition>.<camera>   open passes and counts of the camera, valid up to its `seq`
 *     FLOORS  <partition>            { floor, wanted }: every frame up to `floor` is done, later ones come again after a restart;
 *                                    from `wanted` on they may be asked for again (their pictures), earlier ones may go
 *
 * Order of a checkpoint: outputs durable (store, hits, dead letters), then the cameras, then the floor, then the
 * acknowledgement. A crash in between leaves cameras ahead of the floor; the frames that come again are then skipped
 * for those cameras (`seq`), so each frame is applied exactly once to the state that lasts.
 *
 * Every write is a compare-and-set: an engine that lost its lease without noticing is refused (ALPR_ERR_STATE_FENCED).
 */
export class CheckpointStore {
  private readonly revisions = new Map<string, number>()
  private floorRevision = 0

  /** @param key the partition's name in the buckets, `partitionKey` */
  constructor(
    private readonly manager: JetStreamManager,
    private readonly passes: KV,
    private readonly floors: KV,
    private readonly key: string,
    private readonly rules: PassRules,
  ) {}

  /** What the last owner left: the floor and the state of every camera. */
  async load(): Promise<SavedOffset & { cameras: Map<string, CameraPasses> }> {
    const entry = await this.floors.get(this.key)
    this.floorRevision = entry?.revision ?? 0
    const { floor = 0, wanted = 0 } = entry?.json<Partial<SavedOffset>>() ?? {}
    const cameras = new Map<string, CameraPasses>()
    // A camera that was overlooked would begin anew at the floor: its frames counted twice, its pass cut in two.
    for (const key of await keysOf(this.manager, BUCKET.passes, `${this.key}.`)) {
      const state = await this.passes.get(key)
      if (state?.operation !== 'PUT') continue
      this.revisions.set(key, state.revision)
      cameras.set(key.slice(key.indexOf('.') + 1), CameraPasses.fromJSON(state.json(), this.rules))
    }
    return { floor, wanted, cameras }
  }

  /**
   * Makes this engine the only one that may write: writes of a former owner that are still on their way fail from here
   * on.
   */
  async fence(floor: number, wanted: number): Promise<void> {
    await this.saveFloor(floor, wanted)
  }

  /** @param states camera and its state as text, taken at the barrier */
  async saveCameras(states: readonly [camera: string, json: string][]): Promise<void> {
    await Promise.all(
      states.map(async ([camera, json]) => {
        const key = `${this.key}.${camera}`
        this.revisions.set(key, await this.compareAndSet(this.passes, key, json, this.revisions.get(key) ?? 0))
      }),
    )
  }

  async saveFloor(floor: number, wanted: number): Promise<void> {
    const saved: SavedOffset = { floor, wanted }
    this.floorRevision = await this.compareAndSet(this.floors, this.key, JSON.stringify(saved), this.floorRevision)
  }

  /**
   * A write whose answer was lost looks like somebody else's on the next try; it is ours when the bucket holds exactly
   * our bytes.
   */
  private async compareAndSet(kv: KV, key: string, json: string, revision: number): Promise<number> {
    try {
      return await kv.put(key, json, { previousSeq: revision })
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error
      const there = await kv.get(key)
      if (there && there.operation === 'PUT' && there.string() === json) return there.revision
      throw new AlprError('ALPR_ERR_STATE_FENCED', { partition: this.key }, { cause: error })
    }
  }
}

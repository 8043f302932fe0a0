import type { JetStreamManager, KV } from 'nats'
import { AlprError } from '../errors.js'
import { isWrongLastSequence } from '../nats/errors.js'
import { keysOf } from '../nats/kv_keys.js'
import { BUCKET } from '../nats/topology.js'
import { CameraPasses, type PassRules } from '../passes/camera_passes.js'

/** JSON of a partition in bucket FLOORS. Both are stream sequences. */
export interface SavedOffset {
  /** The committed offset. */
  floor: number
  wanted: number
}

/** Where the next owner of a partition begins. Both are stream sequences. */
export interface Offset {
  /** Every message up to this one is done; later ones come again after a restart. */
  committed: number
  /** Messages from here on may be needed again (for their pictures); earlier ones may be deleted. */
  wanted: number
}

/**
 * The checkpoints of one partition, in two buckets:
 *
 *     PASSES  <partition>.<camera>   open passes and counts of the camera, valid up to its `seq`
 *     FLOORS  <partition>            { floor, wanted }: SavedOffset
 *
 * Order of a checkpoint: outputs durable (store, hits, dead letters), then the cameras, then the committed offset, then
 * the acknowledgement. A crash in between leaves cameras ahead of the offset; messages that come again are then skipped
 * for those cameras (`seq`), so the durable state applies each message exactly once.
 *
 * Every write is a compare-and-set: an engine that lost its lease without noticing is refused (ALPR_ERR_STATE_FENCED).
 */
export class CheckpointStore {
  private readonly revisions = new Map<string, number>()
  private offsetRevision = 0

  /** @param key the partition's name in the buckets, `partitionKey` */
  constructor(
    private readonly manager: JetStreamManager,
    private readonly passes: KV,
    private readonly offsets: KV,
    private readonly key: string,
    private readonly rules: PassRules,
  ) {}

  /** What the last owner saved: the offset and the state of every camera. */
  async load(): Promise<Offset & { cameras: Map<string, CameraPasses> }> {
    const entry = await this.offsets.get(this.key)
    this.offsetRevision = entry?.revision ?? 0
    const { floor: committed = 0, wanted = 0 } = entry?.json<Partial<SavedOffset>>() ?? {}
    const cameras = new Map<string, CameraPasses>()
    // A camera that is missed would start over at the offset: its frames counted twice, its pass cut in two.
    for (const key of await keysOf(this.manager, BUCKET.passes, `${this.key}.`)) {
      const state = await this.passes.get(key)
      if (state?.operation !== 'PUT') continue
      this.revisions.set(key, state.revision)
      cameras.set(key.slice(key.indexOf('.') + 1), CameraPasses.fromJSON(state.json(), this.rules))
    }
    return { committed, wanted, cameras }
  }

  /** Makes this engine the only one that may write: from here on, pending writes of a previous owner fail. */
  async fence(committed: number, wanted: number): Promise<void> {
    await this.saveOffset(committed, wanted)
  }

  /** @param states each camera and its state as JSON, copied at the cut */
  async saveCameras(states: readonly [camera: string, json: string][]): Promise<void> {
    await Promise.all(
      states.map(async ([camera, json]) => {
        const key = `${this.key}.${camera}`
        this.revisions.set(key, await this.compareAndSet(this.passes, key, json, this.revisions.get(key) ?? 0))
      }),
    )
  }

  async saveOffset(committed: number, wanted: number): Promise<void> {
    const saved: SavedOffset = { floor: committed, wanted }
    this.offsetRevision = await this.compareAndSet(this.offsets, this.key, JSON.stringify(saved), this.offsetRevision)
  }

  /**
   * A write whose answer was lost looks like another engine's at the next attempt; it is this engine's when the bucket
   * holds exactly the same bytes.
   */
  private async compareAndSet(kv: KV, key: string, json: string, revision: number): Promise<number> {
    try {
      return await kv.put(key, json, { previousSeq: revision })
    } catch (error) {
      if (!isWrongLastSequence(error)) throw error
      const found = await kv.get(key)
      if (found && found.operation === 'PUT' && found.string() === json) return found.revision
      throw new AlprError('ALPR_ERR_STATE_FENCED', { partition: this.key }, { cause: error })
    }
  }
}

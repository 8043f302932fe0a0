import type { KV, KvEntry, NatsConnection } from 'nats'
import { AlprError, reasonOf } from '../errors.js'
import { isApiError } from '../nats/connect.js'
import { watchKeys, type WatchLog } from '../nats/kv_watch.js'
import { BUCKET } from '../nats/topology.js'
import { CAMERA_ID, parseCamera, type Camera } from '../model/camera.js'

/**
 * A live copy of the registry. The map changes under the reader; each value is replaced as a whole, never changed in
 * place.
 */
export interface WatchedCameras {
  readonly cameras: ReadonlyMap<string, Camera>
  /**
   * Asks the bucket itself, for a camera that the map does not know yet: a camera may be registered a moment before its
   * first frame, and the follower learns of it a moment later. The answer is put into the map.
   */
  refresh(id: string): Promise<Camera | undefined>
  stop(): void
}

/**
 * The camera registry on key-value bucket CAMERAS, a key for each camera. Writers are people and imports; engines and
 * gateways follow it live.
 */
export class CameraRegistry {
  readonly #connection: NatsConnection
  readonly #bucket: KV

  private constructor(connection: NatsConnection, bucket: KV) {
    this.#connection = connection
    this.#bucket = bucket
  }

  /** The bucket must have been set up (setup.ts). */
  static async open(connection: NatsConnection): Promise<CameraRegistry> {
    return new CameraRegistry(connection, await connection.jetstream().views.kv(BUCKET.cameras, { bindOnly: true }))
  }

  /** Adds or replaces. @throws ALPR_ERR_CAMERA_INVALID naming the field */
  async put(value: unknown): Promise<Camera> {
    const camera = parseCamera(value)
    await this.#bucket.put(camera.id, JSON.stringify(camera))
    return camera
  }

  /**
   * Adds only if the camera is not there; resolves to whether it was added. @throws ALPR_ERR_CAMERA_INVALID naming the
   * field
   */
  async add(value: unknown): Promise<boolean> {
    const camera = parseCamera(value)
    try {
      await this.#bucket.create(camera.id, JSON.stringify(camera))
      return true
    } catch (error) {
      if (isApiError(error, kWrongLastSequence)) return false
      throw error
    }
  }

  /** @throws ALPR_ERR_CAMERA_INVALID when the record in the bucket is not one */
  async get(id: string): Promise<Camera | undefined> {
    if (!CAMERA_ID.test(id)) return undefined
    const entry = await this.#bucket.get(id)
    return entry?.operation === 'PUT' ? parseEntry(entry) : undefined
  }

  /** Resolves to whether there was one. Frames that this camera still sends go to DEAD as from an unknown camera. */
  async delete(id: string): Promise<boolean> {
    if ((await this.get(id).catch(() => true)) === undefined) return false
    await this.#bucket.delete(id)
    return true
  }

  /** All cameras by id. Records that are not valid are left out and warned of. */
  async list(log?: WatchLog): Promise<Camera[]> {
    const followed = await this.watch(log)
    followed.stop()
    return [...followed.cameras.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /**
   * Resolves when the map holds everything there was at the call; from then on it follows every change, also over a
   * restart of the server.
   */
  async watch(log?: WatchLog): Promise<WatchedCameras> {
    const cameras = new Map<string, Camera>()
    const put = (key: string, entry: KvEntry) => {
      try {
        cameras.set(key, parseEntry(entry))
      } catch (error) {
        // The record that was valid before stays in force: a bad edit must not turn a working camera into an unknown
        // one.
        log?.warn({ camera: key, reason: reasonOf(error) }, 'the registry holds a record that is not a camera; ignored')
      }
    }
    const { stop } = await watchKeys(this.#connection, this.#bucket, {
      put,
      remove: (key) => cameras.delete(key),
      log,
    })
    const refresh = async (id: string) => {
      const camera = await this.get(id)
      if (camera) cameras.set(id, camera)
      return camera
    }
    return { cameras, refresh, stop }
  }
}

/** KV `create` on a key that has a value. */
const kWrongLastSequence = 10_071

function parseEntry(entry: KvEntry): Camera {
  let value: unknown
  try {
    value = entry.json()
  } catch {
    throw new AlprError('ALPR_ERR_CAMERA_INVALID', { camera: entry.key, reason: 'not JSON' })
  }
  const camera = parseCamera(value)
  if (camera.id !== entry.key)
    throw new AlprError('ALPR_ERR_CAMERA_INVALID', { camera: entry.key, reason: `id is "${camera.id}"` })
  return camera
}

import type { KV, KvEntry, NatsConnection } from 'nats'
import { AlprError, logReasonOf } from '../errors.js'
import { isWrongLastSequence } from '../nats/errors.js'
import { watchKeys, type WatchLog } from '../nats/kv_watch.js'
import { BUCKET } from '../nats/topology.js'
import { CAMERA_ID, ownCamera, parseNewCamera, type Camera } from '../model/camera.js'

/**
 * Messages that arrive up to so long after their camera was removed are processed, ms: an engine that has not heard of
 * the removal yet does so too, and the next one must decide the same.
 */
const kGraceMs = 10_000

/** A live copy of the registry. Changes replace whole records of the map; a record never changes in place. */
export interface WatchedCameras {
  readonly cameras: ReadonlyMap<string, Camera>
  /**
   * Reads a camera from the bucket that the map does not have. It may have been registered just before its first
   * message, and comes into the map then, or removed after the message arrived, or
   * just before.
   * @param arrivedAt when the message arrived, by the server's clock, ms
   */
  find(id: string, arrivedAt: number): Promise<Camera | undefined>
  stop(): void
}

/**
 * The camera registry in key-value bucket CAMERAS, one key for each camera. People and imports write it; engines and
 * gateways follow it live.
 */
export class CameraRegistry {
  readonly #connection: NatsConnection
  readonly #bucket: KV

  private constructor(connection: NatsConnection, bucket: KV) {
    this.#connection = connection
    this.#bucket = bucket
  }

  /** Needs the bucket of setupNats. */
  static async open(connection: NatsConnection): Promise<CameraRegistry> {
    return new CameraRegistry(connection, await connection.jetstream().views.kv(BUCKET.cameras, { bindOnly: true }))
  }

  /** Adds or replaces a camera. @throws ALPR_ERR_CAMERA_INVALID naming the field */
  async put(value: unknown): Promise<Camera> {
    const camera = parseNewCamera(value)
    await this.#bucket.put(camera.id, JSON.stringify(camera))
    return camera
  }

  /**
   * Adds a camera that does not exist yet.
   * @returns false when it exists
   * @throws ALPR_ERR_CAMERA_INVALID naming the field
   */
  async add(value: unknown): Promise<boolean> {
    const camera = parseNewCamera(value)
    try {
      await this.#bucket.create(camera.id, JSON.stringify(camera))
      return true
    } catch (error) {
      if (isWrongLastSequence(error)) return false
      throw error
    }
  }

  /** @throws ALPR_ERR_CAMERA_INVALID when the stored record is not valid */
  async get(id: string): Promise<Camera | undefined> {
    if (!CAMERA_ID.test(id)) return undefined
    const entry = await this.#bucket.get(id)
    return entry?.operation === 'PUT' ? parseEntry(entry) : undefined
  }

  /**
   * Deletes a camera. Frames that it still sends ten seconds later go to DEAD as frames of an unknown camera.
   * @returns false when it does not exist
   */
  async delete(id: string): Promise<boolean> {
    if ((await this.get(id).catch(() => true)) === undefined) return false
    await this.#bucket.delete(id)
    return true
  }

  /** All cameras by id. Records that are not valid are left out, with a warning. */
  async list(log?: WatchLog): Promise<Camera[]> {
    const followed = await this.watch(log)
    followed.stop()
    return [...followed.cameras.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /**
   * Resolves when the map has every camera that exists at the call; from then on it follows every change, also across
   * restarts of the server.
   */
  async watch(log?: WatchLog): Promise<WatchedCameras> {
    const cameras = new Map<string, Camera>()
    const put = (key: string, entry: KvEntry) => {
      try {
        const camera = parseEntry(entry)
        cameras.set(camera.id, camera)
      } catch (error) {
        // The previous record stays in force: a bad edit must not turn a working camera into an unknown one.
        log?.warn(
          { camera: key, reason: logReasonOf(error) },
          'ignored a record of the registry that is not a valid camera',
        )
      }
    }
    const { stop } = await watchKeys(this.#connection, this.#bucket, {
      put,
      remove: (key) => cameras.delete(key),
      log,
    })
    const find = async (id: string, arrivedAt: number) => {
      const entry = CAMERA_ID.test(id) ? await this.#bucket.get(id) : null
      if (!entry) return undefined
      if (entry.operation !== 'PUT')
        return arrivedAt <= entry.created.getTime() + kGraceMs ? this.#former(id) : undefined
      const camera = parseEntry(entry)
      cameras.set(id, camera)
      return camera
    }
    return { cameras, find, stop }
  }

  /** What a camera was before it was removed; undefined when its history does not say. */
  async #former(id: string): Promise<Camera | undefined> {
    let camera: Camera | undefined
    for await (const entry of await this.#bucket.history({ key: id }))
      if (entry.operation === 'PUT') camera = parseEntry(entry)
    return camera
  }
}

function parseEntry(entry: KvEntry): Camera {
  let value: unknown
  try {
    value = entry.json()
  } catch {
    throw new AlprError('ALPR_ERR_CAMERA_INVALID', { camera: entry.key, reason: 'not JSON' })
  }
  const camera = ownCamera(value)
  if (camera.id !== entry.key)
    throw new AlprError('ALPR_ERR_CAMERA_INVALID', { camera: entry.key, reason: `id is "${camera.id}"` })
  return camera
}

import {
  DiscardPolicy,
  nanos,
  RetentionPolicy,
  StorageType,
  type JetStreamClient,
  type JetStreamManager,
  type NatsConnection,
  type StreamConfig,
} from 'nats'
import { AlprError } from '../errors.js'
import { backoffMs, sleep } from '../runtime/backoff.js'
import { DAY_MS, MINUTE_MS } from '../model/time.js'
import { isApiError, natsReason } from './errors.js'
import { BUCKET, ENTRANCE, OBJECTS, STREAM, type Entrance } from './topology.js'

export interface SetupOptions {
  /** Frames waiting to be processed, in bytes (settings.nats.framesMaxBytes). */
  framesMaxBytes: number
  /** The same for messages of detections (settings.nats.detectionsMaxBytes). @default 2 GiB */
  detectionsMaxBytes?: number
  /** Copies of each stream in a JetStream cluster: 1, 3 or 5. */
  replicas?: number
  /**
   * Dead letters kept, in bytes. A full stream drops nothing: the engine waits until dead letters are redriven or
   * dropped.
   */
  deadMaxBytes?: number
  /** How long the setup is retried while the server starts up or elects a leader, ms. */
  readyMs?: number
}

/** Room for the Dead-* headers: the largest message of FRAMES is this much smaller than the server's limit. */
const kDeadHeaderBytes = 65_536

/** 2 GiB: about 7,000 frames of 300 KB. */
const kDeadMaxBytes = 2_147_483_648

/** 2 GiB: about ten million detections. */
const kDetectionsMaxBytes = 2_147_483_648

/** An engine that does not renew its lease for this long loses its partition. */
export const LEASE_MS = 6_000

/**
 * Creates every missing stream, bucket and object store of topology.ts and updates the existing ones, as far as the
 * server allows. Any number of processes may run it at any time; the last configuration wins.
 *
 *     FRAMES, DETECTIONS   Limits + DiscardNew: a full stream refuses publishers (backpressure) and drops nothing.
 *              The engine deletes what is processed (partition/stream_trimmer.ts).
 *     HITS     Limits + DiscardOld: 30 days or 1 GiB. The store keeps every hit; consoles resume from the stream.
 *     DEAD     Limits + DiscardNew: only `platestream dead redrive` and `drop` remove a dead letter.
 *
 * @throws ALPR_ERR_NATS_UNAVAILABLE with the server's reason
 */
export async function setupNats(connection: NatsConnection, options: SetupOptions): Promise<void> {
  const deadline = performance.now() + (options.readyMs ?? 15_000)
  for (let attempt = 0; ; attempt++) {
    try {
      return await setupOnce(connection, options)
    } catch (error) {
      const pause = backoffMs(attempt)
      if (connection.isClosed() || isFinal(error) || performance.now() + pause > deadline) {
        throw new AlprError(
          'ALPR_ERR_NATS_UNAVAILABLE',
          { url: connection.getServer(), reason: natsReason(error) },
          { cause: error },
        )
      }
      await sleep(pause)
    }
  }
}

/**
 * Whether the server understood and refused (4xx and the configuration errors of 5xx): a retry gets the same answer.
 */
function isFinal(error: unknown): boolean {
  const api = (error as { api_error?: { code: number; err_code: number } }).api_error
  return api !== undefined && api.code !== 503
}

async function setupOnce(connection: NatsConnection, options: SetupOptions): Promise<void> {
  const manager = await connection.jetstreamManager({ timeout: 10_000 })
  const client = manager.jetstream()
  const replicas = options.replicas ?? 1
  for (const config of streamConfigs(options, connection.info?.max_payload ?? 1_048_576))
    await ensureStream(manager, config)
  for (const [bucket, limits] of Object.entries(bucketLimits()))
    await ensureBucket(client, manager, bucket, { ...limits, replicas })
  await client.views.os(OBJECTS.hotlistFiles, { storage: StorageType.File, replicas })
  await ensureStream(manager, { name: `OBJ_${OBJECTS.hotlistFiles}`, num_replicas: replicas })
  for (const { stream } of Object.values(ENTRANCE)) await dropOldConsumers(manager, stream)
}

/** Releases before 2026-12 had one durable consumer a partition, which nothing pulls from any more. */
async function dropOldConsumers(manager: JetStreamManager, stream: string): Promise<void> {
  for await (const { name } of manager.consumers.list(stream))
    if (/^engine-\d+$/.test(name)) await manager.consumers.delete(stream, name).catch(() => {})
}

function streamConfigs(options: SetupOptions, maxPayload: number): (Partial<StreamConfig> & { name: string })[] {
  const shared = {
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    num_replicas: options.replicas ?? 1,
    allow_direct: true,
  }
  const entrance = ({ root, stream }: Entrance, maxBytes: number) => ({
    ...shared,
    name: stream,
    subjects: [`${root}.>`],
    discard: DiscardPolicy.New,
    max_bytes: maxBytes,
    max_msg_size: Math.max(1_024, maxPayload - kDeadHeaderBytes),
    duplicate_window: nanos(2 * MINUTE_MS),
  })
  return [
    entrance(ENTRANCE.frames, options.framesMaxBytes),
    entrance(ENTRANCE.detections, options.detectionsMaxBytes ?? kDetectionsMaxBytes),
    {
      ...shared,
      name: STREAM.hits,
      subjects: ['hits.>'],
      discard: DiscardPolicy.Old,
      max_bytes: 1_073_741_824,
      max_age: nanos(30 * DAY_MS),
      duplicate_window: nanos(60 * MINUTE_MS),
    },
    {
      ...shared,
      name: STREAM.dead,
      subjects: ['dead.>'],
      discard: DiscardPolicy.New,
      max_bytes: options.deadMaxBytes ?? kDeadMaxBytes,
      duplicate_window: nanos(60 * MINUTE_MS),
    },
  ]
}

interface BucketLimits {
  history: number
  /**
   * Whether any replica may answer. One that lags would give an engine an old state as the last: engines read what they
   * start from from the leader.
   */
  direct?: boolean
  ttl?: number
  replicas?: number
}

/** `history` revisions of a key are kept: some for what people change (cameras, lists), one for the rest. */
function bucketLimits(): Record<string, BucketLimits> {
  return {
    [BUCKET.cameras]: { history: 5 },
    [BUCKET.hotlists]: { history: 5 },
    [BUCKET.partials]: { history: 5 },
    [BUCKET.passes]: { history: 1, direct: false },
    [BUCKET.offsets]: { history: 1, direct: false },
    [BUCKET.leases]: { history: 1, ttl: LEASE_MS, direct: false },
  }
}

/** Compares and changes only the named fields, so that other settings of an administrator (placement, tags) stay. */
async function ensureStream(
  manager: JetStreamManager,
  wanted: Partial<StreamConfig> & { name: string },
): Promise<void> {
  const found = await manager.streams.info(wanted.name).catch((error: unknown) => {
    if (isApiError(error, kStreamNotFound)) return undefined
    throw error
  })
  if (!found) {
    await manager.streams.add(wanted)
    return
  }
  const changed = Object.entries(wanted).some(
    ([key, value]) => JSON.stringify(found.config[key as keyof StreamConfig]) !== JSON.stringify(value),
  )
  if (!changed) return
  const config = { ...found.config, ...wanted }
  // The server refuses a window longer than the life of the messages. The existing one may be longer: an earlier
  // release kept some messages longer (leases of 8 s).
  if (config.max_age > 0 && config.duplicate_window > config.max_age) config.duplicate_window = config.max_age
  await manager.streams.update(wanted.name, config)
}

const kStreamNotFound = 10_059

async function ensureBucket(
  client: JetStreamClient,
  manager: JetStreamManager,
  bucket: string,
  limits: BucketLimits,
): Promise<void> {
  const { direct = true, ...rest } = limits
  await client.views.kv(bucket, { storage: StorageType.File, ...rest, allow_direct: direct })
  await ensureStream(manager, {
    name: `KV_${bucket}`,
    max_msgs_per_subject: limits.history,
    max_age: nanos(limits.ttl ?? 0),
    allow_direct: direct,
    num_replicas: limits.replicas ?? 1,
  })
}

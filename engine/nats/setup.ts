import {
  DiscardPolicy,
  nanos,
  RetentionPolicy,
  StorageType,
  type JetStreamClient,
  type JetStreamManager,
  type NatsConnection,
  type StreamConfig,
  type StreamInfo,
} from 'nats'
import { AlprError, codeOf, type ErrorCode } from '../errors.js'
import { backoffMs, sleep } from '../runtime/backoff.js'
import { DAY_MS, MINUTE_MS } from '../model/time.js'
import { isApiError, kStreamNotFound, natsReason } from './errors.js'
import { mappedCount } from './mapping_probe.js'
import { decidePartitioning, type Partitioning } from './partitioning.js'
import {
  BUCKET,
  EARLIER_RELEASE,
  ENTRANCES,
  OBJECTS,
  partitionsOf,
  STREAM,
  stateStreamOf,
  stateSubjectOf,
  streamOf,
  subjectsOf,
  type Partition,
} from './topology.js'

export interface SetupOptions {
  /** What the settings say; undefined: the stored number, on a new server what it maps to. */
  partitions?: number
  /** Frames waiting to be processed, in bytes, all partitions together (settings.nats.framesMaxBytes). */
  framesMaxBytes: number
  /** The same for messages of detections (settings.nats.detectionsMaxBytes). @default 2 GiB */
  detectionsMaxBytes?: number
  /** Copies of each stream in a JetStream cluster: 1, 3 or 5. */
  replicas?: number
  /** Dead letters kept, in bytes. What no longer fits is counted in the ledger only (dead_letters/quota.ts). */
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

/** Smallest bound of a partition's stream: one frame of the largest size always fits. */
const kLeastBytes = 16_777_216

/** An engine that does not renew its lease for this long loses its partition. */
export const LEASE_MS = 6_000

/**
 * Creates every missing stream, bucket and object store of topology.ts and updates the existing ones, as far as the
 * server allows. Any number of processes may run it at any time; the last configuration wins.
 *
 *     FRAMES-*, DETECTIONS-*   Limits + DiscardNew: a full stream refuses publishers (backpressure) and drops nothing.
 *              The engine deletes what is processed (pipeline/checkpointer.ts).
 *     STATE-*  Limits: the engine deletes what a later snapshot replaces (partition/checkpoint_log.ts).
 *     HITS     Limits + DiscardOld: 30 days or 1 GiB. The store keeps every hit; consoles resume from the stream.
 *     DEAD     Limits + DiscardNew: only `platestream dead redrive` and `drop` remove a dead letter.
 *
 * @returns the stored number of partitions
 * @throws ALPR_ERR_PARTITIONS_DIFFER when the settings name another number of partitions than the stored one
 * @throws ALPR_ERR_NATS_UNAVAILABLE with the server's reason
 */
export async function setupNats(connection: NatsConnection, options: SetupOptions): Promise<Partitioning> {
  const deadline = performance.now() + (options.readyMs ?? 15_000)
  for (let attempt = 0; ; attempt++) {
    try {
      return await setupOnce(connection, options)
    } catch (error) {
      if (REFUSALS.has(codeOf(error))) throw error
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

/** Errors that no second attempt mends: somebody has to change a setting or a server. */
export const REFUSALS: ReadonlySet<ErrorCode> = new Set(['ALPR_ERR_PARTITIONS_DIFFER', 'ALPR_ERR_NATS_TOO_OLD'])

/**
 * Whether the server understood and refused (4xx and the configuration errors of 5xx): a retry gets the same answer.
 */
function isFinal(error: unknown): boolean {
  const api = (error as { api_error?: { code: number; err_code: number } }).api_error
  return api !== undefined && api.code !== 503
}

async function setupOnce(connection: NatsConnection, options: SetupOptions): Promise<Partitioning> {
  const manager = await connection.jetstreamManager({ timeout: 10_000 })
  const client = manager.jetstream()
  const replicas = options.replicas ?? 1
  refuseOldCluster(connection, replicas)
  for (const [bucket, limits] of Object.entries(bucketLimits()))
    await ensureBucket(client, manager, bucket, { ...limits, replicas })
  // Its `replicas` would reach the server under a name that nats-server 2.15 refuses; the next line sets them.
  await client.views.os(OBJECTS.hotlistFiles, { storage: StorageType.File })
  await ensureStream(manager, { name: `OBJ_${OBJECTS.hotlistFiles}`, num_replicas: replicas })
  for (const config of outputConfigs(options)) await ensureStream(manager, config)
  const bucket = await client.views.kv(BUCKET.partitions, { bindOnly: true })
  const earlier = await closeEarlierStreams(manager, options)
  const partitioning = await decidePartitioning(bucket, {
    wanted: options.partitions,
    mapped: () => mappedCount(connection),
    from: earlier ? EARLIER_RELEASE : undefined,
  })
  await ensurePartitionStreams(connection, partitioning.partitions, options)
  return partitioning
}

/**
 * Three servers of 2.9 lost or doubled acknowledged frames in 3 of 11 rounds in which one of them died; of 2.10 in none
 * (docs/reliability.md).
 * @throws ALPR_ERR_NATS_TOO_OLD
 */
function refuseOldCluster(connection: NatsConnection, replicas: number): void {
  const version = connection.info?.version ?? ''
  if (replicas > 1 && !keepsCopies(version)) throw new AlprError('ALPR_ERR_NATS_TOO_OLD', { version, replicas })
}

/** Whether servers of this version may keep several copies of a stream. @param version e.g. `2.10.27` */
export const keepsCopies = (version: string): boolean => isSince210(version)

/** @param version of a server, e.g. `2.10.27` */
export function isSince210(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 2 || (major === 2 && minor >= 10)
}

/**
 * Creates or updates the streams of all partitions of both entrances.
 * @param partitions how many there are in each entrance
 */
export async function ensurePartitionStreams(
  connection: NatsConnection,
  partitions: number,
  options: SetupOptions,
): Promise<void> {
  const manager = await connection.jetstreamManager({ timeout: 10_000 })
  const maxPayload = connection.info?.max_payload ?? 1_048_576
  for (const entrance of ENTRANCES) {
    for (const partition of partitionsOf(entrance, partitions)) {
      await ensureStream(manager, stateConfig(partition, options))
      await ensureStream(manager, entranceConfig(partition, options, maxPayload))
    }
  }
}

/**
 * Publishers are refused from now on; what the stream holds stays. A stream needs some subject: nobody publishes to
 * this one.
 */
export async function closeStream(manager: JetStreamManager, name: string): Promise<void> {
  const { config } = await manager.streams.info(name)
  if (!isClosed(config)) await manager.streams.update(name, { ...config, subjects: closedSubjects(name) })
}

/** Whether publishers are refused. */
export const isClosed = ({ name, subjects }: StreamConfig): boolean =>
  JSON.stringify(subjects) === JSON.stringify(closedSubjects(name))

const closedSubjects = (name: string): string[] => [`closed.${name}`]

/** Closes the shared streams of an earlier release to publishers. @returns whether there are any */
async function closeEarlierStreams(manager: JetStreamManager, options: SetupOptions): Promise<boolean> {
  const partitions = ENTRANCES.flatMap((entrance) => partitionsOf(entrance, EARLIER_RELEASE))
  const found = await Promise.all(partitions.map((partition) => findStream(manager, streamOf(partition))))
  if (!found.some(Boolean)) return false
  for (const partition of partitions) {
    const stream = streamOf(partition)
    // Before 2026-11 there was no stream for detections: an empty one is worked off at once.
    if (!(await findStream(manager, stream)))
      await manager.streams.add({ ...sharedConfig(options), name: stream, subjects: closedSubjects(stream) })
    await closeStream(manager, stream)
    for await (const { name } of manager.consumers.list(stream))
      if (/^engine-\d+$/.test(name)) await manager.consumers.delete(stream, name).catch(() => {})
    await ensureStream(manager, stateConfig(partition, options))
  }
  return true
}

const sharedConfig = (options: SetupOptions) => ({
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  num_replicas: options.replicas ?? 1,
  allow_direct: true,
})

/**
 * The stream of a partition of an entrance. It refuses messages when it is full; each partition has its share of the
 * bound of the entrance, bytes.
 * @param maxPayload the server's limit of a message, bytes; room is left for the headers of its dead letter
 */
export function entranceConfig(partition: Partition, options: SetupOptions, maxPayload: number): NamedConfig {
  const total =
    partition.entrance.root === 'frames' ? options.framesMaxBytes : (options.detectionsMaxBytes ?? kDetectionsMaxBytes)
  return {
    ...sharedConfig(options),
    name: streamOf(partition),
    subjects: subjectsOf(partition),
    discard: DiscardPolicy.New,
    max_bytes: Math.max(Math.min(total, kLeastBytes), Math.floor(total / partition.count)),
    max_msg_size: Math.max(1_024, maxPayload - kDeadHeaderBytes),
    duplicate_window: nanos(2 * MINUTE_MS),
  }
}

/** Read from the leader only: a replica that lags would give an engine an old checkpoint as the last one. */
const stateConfig = (partition: Partition, options: SetupOptions): NamedConfig => ({
  ...sharedConfig(options),
  allow_direct: false,
  name: stateStreamOf(partition),
  subjects: [stateSubjectOf(partition)],
})

function outputConfigs(options: SetupOptions): NamedConfig[] {
  return [
    {
      ...sharedConfig(options),
      name: STREAM.hits,
      subjects: ['hits.>'],
      discard: DiscardPolicy.Old,
      max_bytes: 1_073_741_824,
      max_age: nanos(30 * DAY_MS),
      duplicate_window: nanos(60 * MINUTE_MS),
    },
    {
      ...sharedConfig(options),
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
    [BUCKET.partitions]: { history: 1, direct: false },
    [BUCKET.leases]: { history: 1, ttl: LEASE_MS, direct: false },
  }
}

/** Compares and changes only the named fields, so that other settings of an administrator (placement, tags) stay. */
async function ensureStream(manager: JetStreamManager, wanted: NamedConfig): Promise<void> {
  const found = await findStream(manager, wanted.name)
  if (!found) {
    await manager.streams.add(wanted)
    return
  }
  // Somebody is about to lower its bound (partition/lower_bounds.ts): only they open it again.
  const closed = isClosed(found.config) ? { subjects: found.config.subjects } : {}
  const next = { ...wanted, ...closed, ...notLower(wanted, found) }
  const isSame = ([key, value]: [string, unknown]) =>
    JSON.stringify(found.config[key as keyof StreamConfig]) === JSON.stringify(value)
  if (Object.entries(next).every(isSame)) return
  const config = { ...found.config, ...next }
  // The server refuses a window longer than the life of the messages. The existing one may be longer: an earlier
  // release kept some messages longer (leases of 8 s).
  if (config.max_age > 0 && config.duplicate_window > config.max_age) config.duplicate_window = config.max_age
  await manager.streams.update(wanted.name, config)
}

/**
 * A bound below what the stream holds makes nats-server delete the oldest messages, under any discard policy. So a
 * setup only raises bounds (partition/lower_bounds.ts lowers them).
 */
const notLower = ({ max_bytes: wanted }: NamedConfig, { config }: StreamInfo): { max_bytes?: number } =>
  wanted !== undefined && (config.max_bytes <= 0 || wanted < config.max_bytes) ? { max_bytes: config.max_bytes } : {}

/** @returns undefined when there is no such stream */
export const findStream = (manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> =>
  manager.streams.info(name).catch((error: unknown) => {
    if (isApiError(error, kStreamNotFound)) return undefined
    throw error
  })

type NamedConfig = Partial<StreamConfig> & { name: string }

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

import { Events, type JetStreamManager, type KV, type NatsConnection } from 'nats'
import type { Logger } from 'pino'
import { loadMatcher } from '../wasm/load_node.js'
import { FrameCache } from './pictures/frame_cache.js'
import { CameraRegistry, type WatchedCameras } from './cameras/camera_registry.js'
import { HitPublisher } from './hits/hit_publisher.js'
import { ListsInForce } from './hotlists/lists_in_force.js'
import { codeOf, type AlprError } from './errors.js'
import { Metrics } from './runtime/metrics.js'
import { isApiError, kStreamNotFound, natsLogReason } from './nats/errors.js'
import { REFUSALS, setupNats } from './nats/setup.js'
import { DetectionSource } from './sources/detection_source.js'
import { FrameSource } from './sources/frame_source.js'
import type { Source } from './sources/source.js'
import {
  BUCKET,
  ENTRANCES,
  partitionName,
  partitionsOf,
  SCHEMA_LEASE,
  SETUP_LEASE,
  statusSubject,
  type Partition,
} from './nats/topology.js'
import { activeCount, type Partitioning } from './nats/partitioning.js'
import { refuseUncovered } from './nats/refuse_uncovered.js'
import { DeadLetterQuota } from './dead_letters/quota.js'
import { PartitioningChange } from './pipeline/partitioning_change.js'
import { PartitionManager, type PartitionManagerParts } from './pipeline/partition_manager.js'
import { InstanceName, nameTaken } from './coordination/instance_name.js'
import { Lease } from './coordination/lease.js'
import { Members } from './coordination/members.js'
import { Semaphore } from './runtime/semaphore.js'
import { withLease } from './coordination/with_lease.js'
import { lowerBounds } from './partition/lower_bounds.js'
import { PictureMaker } from './pictures/picture_maker.js'
import { Pipeline } from './pipeline/pipeline.js'
import type { PipelineParts } from './pipeline/pipeline_parts.js'
import { RecognizerPool } from './recognize/pool.js'
import { dataPaths, type Settings } from './settings.js'
import type { EngineStatus } from './model/engine_status.js'
import { createClient, waitForStore, type ClickHouseClient } from './store/client.js'
import { SegmentWriter } from './pictures/segment_writer.js'
import { GroupWriter } from './store/group_writer.js'
import { formOf } from './store/ddl.js'
import { migrate } from './store/migrate.js'
import { StoreWriter } from './store/writer.js'
import { Retry } from './runtime/retry.js'

/** A running engine. */
export interface Engine {
  readonly status: () => EngineStatus
  /** Resolves when this engine must end because another one has its name; otherwise never. */
  readonly refused: Promise<AlprError>
  /** Finishes the frames in flight, makes a last checkpoint and gives the partitions back. */
  close(): Promise<void>
}

/** What an engine has before it reaches any server. */
interface Core {
  settings: Settings
  connection: NatsConnection
  log: Logger
  instanceName: InstanceName
  metrics: Metrics
  retry: Retry
  recognizer: RecognizerPool
  lists: ListsInForce
  /** One for each entrance, once the engine works. */
  managers: PartitionManager[]
  change?: PartitioningChange
  /** Aborts when the engine ends. */
  ending: AbortSignal
}

/**
 * Starts the stream engine: waits for NATS and ClickHouse, then runs one pipeline for each partition of its share.
 * @param store address and token of the embedded store; ignored when the settings name a ClickHouse server
 * @throws ALPR_ERR_INSTANCE_TAKEN when an engine of the same name is running
 */
export async function startEngine(
  settings: Settings,
  connection: NatsConnection,
  store: { url: string; token: string },
  log: Logger,
): Promise<Engine> {
  const ending = new AbortController()
  const core = await createCore(settings, connection, log, ending.signal)
  const { recognizer, lists } = core
  const status = () => statusOf(core)
  // An engine reports what it waits for from its first second on, not only once all is well.
  const heartbeat = setInterval(() => {
    if (!connection.isClosed()) connection.publish(statusSubject(settings.engine.instance), JSON.stringify(status()))
  }, 1_000)

  const setup = () => setupNats(connection, { ...settings.nats })
  const isRefused = (error: unknown) => REFUSALS.has(codeOf(error))
  const partitioning = await core.retry.until('nats', setup, ending.signal, isRefused).catch((error: unknown) => {
    clearInterval(heartbeat)
    throw error
  })
  const leases = await connection.jetstream().views.kv(BUCKET.leases, { bindOnly: true })
  const client = createClient(settings, store)
  const bounds = () => lowerBounds(connection, partitioning, settings.nats)
  const lease = new Lease(leases, SETUP_LEASE, core.instanceName.session)
  await core.retry.until('nats', () => withLease(lease, bounds, ending.signal), ending.signal)
  await openStore(core, client, leases)

  const cameras = await (await CameraRegistry.open(connection)).watch(log)
  await lists.follow(connection)
  const crops = await SegmentWriter.open(dataPaths(settings).crops, settings.engine.instance)
  const manager = await connection.jetstreamManager()
  const parts = await partsOf(core, { manager, cameras, crops, client, leases, setup })
  const { running, refused } = await runPartitions(core, parts, partitioning)
  void interruptOnReconnect(core)

  return {
    status,
    refused,
    async close() {
      ending.abort()
      await running
      clearInterval(heartbeat)
      lists.stop()
      cameras.stop()
      await Promise.all([recognizer.close(), crops.close(), client.close()])
    },
  }
}

async function createCore(
  settings: Settings,
  connection: NatsConnection,
  log: Logger,
  ending: AbortSignal,
): Promise<Core> {
  const instanceName = new InstanceName(connection, settings.engine.instance)
  await instanceName.claim()
  instanceName.answer(ending)
  const metrics = new Metrics()
  const retry = new Retry(log, natsLogReason)
  const recognizer = await RecognizerPool.create({
    workers: settings.engine.workers,
    timeoutMs: settings.engine.frameTimeoutMs,
    onReplaced: (reason) => {
      metrics.count('workers_replaced_total')
      log.warn({ reason }, 'a recognition worker was replaced')
    },
    onStuck: (reason) => {
      if (reason === undefined) delete retry.reasons.recognition
      else retry.reasons.recognition = reason
    },
  })
  const lists = new ListsInForce(await loadMatcher(), metrics, log)
  return { settings, connection, log, instanceName, metrics, retry, recognizer, lists, managers: [], ending }
}

/** Waits for ClickHouse and migrates its tables, as one engine at a time: two would empty what the other fills. */
async function openStore(core: Core, client: ClickHouseClient, leases: KV): Promise<void> {
  const { settings, retry, instanceName, ending } = core
  const open = async () => {
    await waitForStore(client, { signal: ending })
    retry.reasons.schema = 'another engine is migrating the tables'
    const done = () => {
      delete retry.reasons.schema
    }
    const work = () => {
      done()
      return migrate(client, settings.clickhouse.database, formOf(settings))
    }
    await withLease(new Lease(leases, SCHEMA_LEASE, instanceName.session), work, ending).finally(done)
  }
  await retry.until('clickhouse', open, ending)
}

/** What an engine has once its servers answer. */
interface Servers {
  manager: JetStreamManager
  cameras: WatchedCameras
  crops: SegmentWriter
  client: ClickHouseClient
  leases: KV
  setup: () => Promise<unknown>
}

async function partsOf(core: Core, servers: Servers): Promise<PipelineParts> {
  const { settings, connection, log, metrics, retry, recognizer, lists, instanceName, ending } = core
  const { manager, cameras, crops, client, leases, setup } = servers
  return {
    connection,
    js: connection.jetstream(),
    manager,
    cameras,
    lists,
    metrics,
    retry,
    deadLetters: new DeadLetterQuota(manager),
    hitPublisher: await retry.until('nats', () => HitPublisher.open(connection, manager), ending),
    bucket: await connection.jetstream().views.kv(BUCKET.partitions, { bindOnly: true }),
    leases,
    setup,
    log,
    process: { session: instanceName.session, alone: new Semaphore(1) },
    frames: new FrameCache(connection),
    pictures: await PictureMaker.create(crops, metrics),
    store: new GroupWriter(
      new StoreWriter(client, settings.clickhouse.database, {
        onNewReads: (count) => metrics.count('reads_total', count),
      }),
    ),
    provenance: (arrivedAt) => ({
      module: recognizer.module,
      model: recognizer.model,
      lists: lists.versionAt(arrivedAt),
    }),
    batchMs: settings.engine.batchMs,
    ending,
  }
}

function sourcesOf({ settings, recognizer, metrics }: Core, { cameras }: PipelineParts): Source[] {
  const { futureToleranceMs, passGapMs } = settings.engine
  const rules = { gapMs: passGapMs }
  return [
    new FrameSource(rules, cameras, recognizer, metrics, futureToleranceMs),
    new DetectionSource(rules, cameras, futureToleranceMs),
  ]
}

/**
 * Joins the other engines and runs this one's share of the partitions until the engine ends. `running` resolves when
 * all are given back.
 */
async function runPartitions(
  core: Core,
  parts: PipelineParts,
  partitioning: Partitioning,
): Promise<{ running: Promise<unknown>; refused: Promise<AlprError> }> {
  const { settings, connection, log, metrics, instanceName, managers, ending } = core
  const { instance } = settings.engine
  const { leases } = parts
  const change = new PartitioningChange(
    { ...parts, session: instanceName.session, reasons: core.retry.reasons },
    partitioning,
  )
  core.change = change
  const members = new Members(leases, instance, undefined, instanceName.session)
  const refused = new Promise<AlprError>((resolve) => {
    members.onDuplicate = () => resolve(nameTaken(instance, 'it came first'))
  })
  await members.follow(connection, log)
  const shared = { leases, members, instance, partitioning: () => change.current, metrics, log }
  const open: PartitionManagerParts['open'] = (source, partition) =>
    Pipeline.open(partition, source, parts, previousOf(partition, change.current)).catch(async (error: unknown) => {
      // Somebody deleted a stream of it: the next attempt finds a new one.
      if (isApiError(error, kStreamNotFound)) await parts.setup()
      throw error
    })
  for (const source of sourcesOf(core, parts)) managers.push(new PartitionManager(source, { ...shared, open }))
  const uncovered = refuseUncovered(connection, () => metrics.count('messages_refused_total'))
  ending.addEventListener('abort', () => uncovered.stop())
  const running = Promise.all([...managers, change].map((part) => part.run(ending)).concat(members.stay(ending)))
  return { running, refused }
}

/** The number of partitions whose states a partition without a checkpoint begins with. */
const previousOf = ({ count }: Partition, { partitions, from }: Partitioning): number | undefined =>
  count === partitions ? from : undefined

/** Interrupts every pipeline when the connection breaks or comes back. */
async function interruptOnReconnect({ connection, retry, managers }: Core): Promise<void> {
  for await (const event of connection.status()) {
    if (event.type === Events.Disconnect) retry.reasons.connection = 'NATS is unreachable'
    else if (event.type === Events.Reconnect) delete retry.reasons.connection
    else continue
    for (const { pipelines } of managers) for (const { pipeline } of pipelines.values()) pipeline.interrupt()
  }
}

/** Sums over the partitions that are held. */
const PARTITION_GAUGES = [
  'open_passes',
  'cameras_known',
  'cameras_behind',
  'frames_in_flight',
  'frames_waiting',
  'camera_messages_waiting',
]

function statusOf({ settings, metrics, retry, recognizer, lists, managers, change }: Core): EngineStatus {
  for (const name of PARTITION_GAUGES) metrics.gauge(name, 0)
  const add = (name: string, value: number) => metrics.gauge(name, metrics.gauges[name]! + value)
  for (const { source, pipelines } of managers) {
    const isFrames = source.entrance.root === 'frames'
    for (const {
      pipeline: { gauges },
    } of pipelines.values()) {
      add('open_passes', gauges.openPasses)
      add('cameras_known', gauges.cameras)
      add('cameras_behind', gauges.camerasBehind)
      if (isFrames) add('frames_in_flight', gauges.inFlight)
      add(isFrames ? 'frames_waiting' : 'camera_messages_waiting', gauges.pending)
    }
  }
  metrics.gauge('memory_bytes', process.memoryUsage.rss())
  const count = change && activeCount(change.current)
  metrics.gauge('partitions_total', count ?? 0)
  metrics.gauge('hot_list_entries', lists.entries)
  metrics.forget('hot_list_age_seconds.')
  for (const list of lists.records)
    metrics.gauge(`hot_list_age_seconds.${list.id}`, Math.max(0, (Date.now() - Date.parse(list.loadedAt)) / 1000))
  return {
    instance: settings.engine.instance,
    at: new Date().toISOString(),
    waiting: { ...retry.reasons, ...lists.waiting },
    lists: lists.versions,
    failing: Object.assign({}, ...managers.map(({ failing }) => failing)) as Record<string, string>,
    held: managers.flatMap(({ pipelines }) =>
      [...pipelines].flatMap(([partition, { pipeline }]) => pipeline.held().map((held) => ({ partition, ...held }))),
    ),
    partitions: managers.flatMap(({ pipelines }) => [...pipelines.keys()]).sort(),
    allPartitions:
      count === undefined
        ? []
        : ENTRANCES.flatMap((entrance) => partitionsOf(entrance, count).map((partition) => partitionName(partition))),
    workers: settings.engine.workers,
    module: recognizer.module,
    model: recognizer.model,
    counters: { ...metrics.counters },
    gauges: { ...metrics.gauges },
    bounds: metrics.takeBounds(),
  }
}

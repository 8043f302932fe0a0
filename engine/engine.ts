import { Events, type NatsConnection } from 'nats'
import type { Logger } from 'pino'
import { loadMatcher } from '../wasm/load_node.js'
import { FrameCache } from './pictures/frame_cache.js'
import { CameraRegistry } from './cameras/registry.js'
import { ListsInForce } from './hotlists/lists_in_force.js'
import type { AlprError } from './errors.js'
import { Metrics } from './runtime/metrics.js'
import { setupNats } from './nats/setup.js'
import { DetectionSource } from './sources/detection_source.js'
import { FrameSource } from './sources/frame_source.js'
import type { Source } from './sources/source.js'
import { BUCKET, ENTRANCE, SCHEMA_LEASE, statusSubject, type Entrance } from './nats/topology.js'
import { PartitionManager } from './pipeline/partition_manager.js'
import { InstanceName, taken } from './coordination/instance_name.js'
import { Lease } from './coordination/lease.js'
import { Members } from './coordination/members.js'
import { Turns } from './pipeline/poison_guard.js'
import { StreamTrimmer } from './partition/stream_trimmer.js'
import { withLease } from './coordination/with_lease.js'
import { PictureMaker } from './pictures/picture_maker.js'
import { Pipeline } from './pipeline/pipeline.js'
import type { PipelineParts } from './pipeline/pipeline_parts.js'
import { ReadIds } from './model/read_id.js'
import { RecognizerPool } from './recognize/pool.js'
import { dataPaths, type Settings } from './settings.js'
import type { EngineStatus } from './model/engine_status.js'
import { createClient, waitForStore } from './store/client.js'
import { SegmentWriter } from './pictures/segments.js'
import { GroupWriter } from './store/group_writer.js'
import { migrate } from './store/migrate.js'
import { StoreWriter } from './store/writer.js'
import { Retry } from './runtime/retry.js'

/** A running engine. */
export interface Engine {
  readonly status: () => EngineStatus
  /** Resolves when this engine must end because another one goes by its name; else never. */
  readonly refused: Promise<AlprError>
  /** Finishes the frames in flight, makes a last checkpoint and gives the partitions back. */
  close(): Promise<void>
}

/**
 * Starts the stream engine: waits for NATS and ClickHouse, then runs one pipeline for each partition of its share.
 * @throws ALPR_ERR_INSTANCE_TAKEN when an engine of the same name runs
 * @param store where the embedded store listens and its token; not looked at when the settings name a ClickHouse server
 */
export async function startEngine(
  settings: Settings,
  connection: NatsConnection,
  store: { url: string; token: string },
  log: Logger,
): Promise<Engine> {
  const ending = new AbortController()
  const identity = new InstanceName(connection, settings.engine.instance)
  await identity.claim()
  identity.answer(ending.signal)
  const metrics = new Metrics()
  const waiting = new Retry(log)
  const recognizer = await RecognizerPool.create({
    workers: settings.engine.workers,
    timeoutMs: settings.engine.frameTimeoutMs,
    onReplaced: (reason) => {
      metrics.count('workers_replaced_total')
      log.warn({ reason }, 'a recognition worker was replaced')
    },
  })
  const holders: PartitionManager[] = []
  const { partitions } = settings.nats

  const status = (): EngineStatus => {
    for (const name of ['open_passes', 'frames_in_flight', 'frames_waiting', 'camera_messages_waiting'])
      metrics.gauge(name, 0)
    const add = (name: string, value: number) => metrics.gauge(name, metrics.gauges[name]! + value)
    for (const { inlet, pipelines } of holders) {
      for (const { gauges } of pipelines.values()) {
        add('open_passes', gauges.openPasses)
        if (inlet.entrance.root === 'frames') add('frames_in_flight', gauges.inFlight)
        add(inlet.entrance.root === 'frames' ? 'frames_waiting' : 'camera_messages_waiting', gauges.pending)
      }
    }
    metrics.gauge('memory_bytes', process.memoryUsage.rss())
    metrics.gauge('partitions_total', partitions)
    for (const list of lists.records)
      metrics.gauge(`hot_list_age_seconds.${list.id}`, Math.max(0, (Date.now() - Date.parse(list.loadedAt)) / 1000))
    return {
      instance: settings.engine.instance,
      at: new Date().toISOString(),
      waiting: { ...waiting.reasons },
      partitions: holders
        .filter(({ inlet }) => inlet.entrance.root === 'frames')
        .flatMap(({ pipelines }) => [...pipelines.keys()])
        .sort((a, b) => a - b),
      workers: settings.engine.workers,
      module: recognizer.module,
      model: recognizer.model,
      counters: { ...metrics.counters },
      gauges: { ...metrics.gauges },
      bounds: metrics.takeBounds(),
    }
  }
  const lists = new ListsInForce(await loadMatcher(), metrics, log)

  // An engine says what it waits for from its first second on, not only when all is well.
  const heartbeat = setInterval(() => {
    if (!connection.isClosed()) connection.publish(statusSubject(settings.engine.instance), JSON.stringify(status()))
  }, 1_000)

  await waiting.until(
    'nats',
    () =>
      setupNats(connection, {
        framesMaxBytes: settings.nats.framesMaxBytes,
        detectionsMaxBytes: settings.nats.detectionsMaxBytes,
        replicas: settings.nats.replicas,
      }),
    ending.signal,
  )
  const js = connection.jetstream()
  const leases = await js.views.kv(BUCKET.leases, { bindOnly: true })
  const client = createClient(settings, store)
  await waiting.until(
    'clickhouse',
    async () => {
      await waitForStore(client, { signal: ending.signal })
      // Two that bring the same tables up to date at once would empty what the other fills.
      waiting.reasons.schema = 'another engine brings the tables up to date'
      const forget = () => {
        delete waiting.reasons.schema
      }
      await withLease(
        new Lease(leases, SCHEMA_LEASE, identity.session),
        () => {
          forget()
          return migrate(client, settings.clickhouse.database)
        },
        ending.signal,
      ).finally(forget)
    },
    ending.signal,
  )

  const manager = await connection.jetstreamManager()
  const cameras = await (await CameraRegistry.open(connection)).watch(log)
  await lists.follow(connection)
  const crops = await SegmentWriter.open(dataPaths(settings).crops, settings.engine.instance)
  const parts: PipelineParts = {
    connection,
    js,
    manager,
    cameras,
    lists,
    metrics,
    waiting,
    partitions,
    self: { session: identity.session, turns: new Turns() },
    recent: new FrameCache(connection),
    pictures: await PictureMaker.create(crops, metrics),
    store: new GroupWriter(new StoreWriter(client, settings.clickhouse.database)),
    provenance: () => ({ module: recognizer.module, model: recognizer.model, lists: lists.version }),
    batchMs: settings.engine.batchMs,
    ending: ending.signal,
  }
  const buckets = {
    passes: await js.views.kv(BUCKET.passes, { bindOnly: true }),
    floors: await js.views.kv(BUCKET.floors, { bindOnly: true }),
  }

  const idsOf = async ({ stream, root }: Entrance) => new ReadIds((await manager.streams.info(stream)).created, root)
  const rules = { gapMs: settings.engine.passGapMs }
  const { futureToleranceMs } = settings.engine
  const inlets: Source[] = [
    new FrameSource(await idsOf(ENTRANCE.frames), rules, cameras, recognizer, metrics, futureToleranceMs),
    new DetectionSource(await idsOf(ENTRANCE.detections), rules, cameras, futureToleranceMs),
  ]

  const members = new Members(leases, settings.engine.instance, undefined, identity.session)
  const refused = new Promise<AlprError>((resolve) => {
    members.onTwin = () => resolve(taken(settings.engine.instance, 'it came first'))
  })
  await members.follow(connection, log)
  holders.push(
    ...inlets.map(
      (inlet) =>
        new PartitionManager(inlet, {
          leases,
          members,
          instance: settings.engine.instance,
          partitions,
          metrics,
          log,
          open: (of, partition) => Pipeline.open(partition, of, parts, buckets),
        }),
    ),
  )
  const keeping = Promise.all([
    ...holders.map((holder) => holder.run(ending.signal)),
    ...inlets.map(({ entrance }) =>
      new StreamTrimmer(manager, buckets.floors, entrance, partitions).run(ending.signal),
    ),
    members.stay(ending.signal),
  ])

  void (async () => {
    for await (const event of connection.status()) {
      if (event.type === Events.Disconnect) waiting.reasons.connection = 'NATS is away'
      else if (event.type === Events.Reconnect) delete waiting.reasons.connection
      else continue
      for (const { pipelines } of holders) for (const pipeline of pipelines.values()) pipeline.interrupt()
    }
  })()

  return {
    status,
    refused,
    async close() {
      ending.abort()
      await keeping
      clearInterval(heartbeat)
      lists.stop()
      cameras.stop()
      await Promise.all([recognizer.close(), crops.close(), client.close()])
    },
  }
}

import { Events, type KV, type NatsConnection } from 'nats'
import type { Logger } from 'pino'
import { join } from 'node:path'
import { CameraRegistry, type WatchedCameras } from '../cameras/camera_registry.js'
import { InstanceName, nameTaken } from '../coordination/instance_name.js'
import { Lease } from '../coordination/lease.js'
import { Members } from '../coordination/members.js'
import { codeOf, type AlprError } from '../errors.js'
import type { IngestStatus } from '../model/ingest_status.js'
import type { LiveCamera } from '../model/live_camera.js'
import { natsReason } from '../nats/errors.js'
import { findProgram } from '../nats/server.js'
import { REFUSALS, setupNats } from '../nats/setup.js'
import { BUCKET, ingestStatusSubject, liveLease } from '../nats/topology.js'
import { sleep } from '../runtime/backoff.js'
import { Metrics } from '../runtime/metrics.js'
import { Retry } from '../runtime/retry.js'
import { dataPaths, type Settings } from '../settings.js'
import { CameraWorker } from './camera_worker.js'
import { Outlet } from './outlet.js'
import { Spool } from './spool.js'

/** A running ingest process. */
export interface Ingest {
  readonly status: () => IngestStatus
  /** Resolves when this process must end because another one has its name; otherwise never. */
  readonly refused: Promise<AlprError>
  /** Stops pulling, gives the cameras back, and waits for what was sent. */
  close(): Promise<void>
}

/** A camera that this process holds. */
interface Held {
  lease: Lease
  worker: CameraWorker
}

/**
 * Pulls the frames of this process's share of the cameras that have an address (`live` of their records).
 * @throws ALPR_ERR_INGEST_TAKEN when an ingest process of the same name is running
 */
export async function startIngest(settings: Settings, connection: NatsConnection, log: Logger): Promise<Ingest> {
  const { instance, spoolMaxBytes } = settings.ingest
  const ending = new AbortController()
  const { signal } = ending
  const name = new InstanceName(connection, instance, 'ingest')
  await name.claim()
  name.answer(signal)
  const metrics = new Metrics()
  const retry = new Retry(log, natsReason)
  const setup = () => setupNats(connection, { ...settings.nats })
  await retry.until('nats', setup, signal, (error) => REFUSALS.has(codeOf(error)))
  const leases = await connection.jetstream().views.kv(BUCKET.leases, { bindOnly: true })
  const cameras = await (await CameraRegistry.open(connection)).watch(log)
  const members = new Members(leases, instance, undefined, name.session, 'ingest')
  const refused = new Promise<AlprError>((resolve) => {
    members.onDuplicate = () => resolve(nameTaken(instance, 'it came first', 'ingest'))
  })
  await members.follow(connection, log)

  const spool = new Spool(join(dataPaths(settings).ingest, instance.replaceAll('.', '-')), spoolMaxBytes)
  const outlet = new Outlet({ connection, spool, metrics, log })
  const ffmpeg = findProgram('ffmpeg')
  const share = new CameraShare({
    ...{ cameras, leases, members, instance },
    open: (camera, live) =>
      new CameraWorker({
        ...{ camera, live, ffmpeg, metrics, log },
        secrets: dataPaths(settings).secrets,
        onPicture: (picture) => outlet.publish(picture),
      }),
  })
  const status = (): IngestStatus => {
    metrics.gauge('spool_bytes', spool.bytes)
    metrics.gauge('memory_bytes', process.memoryUsage.rss())
    const waiting = { ...retry.reasons }
    if (outlet.blocked !== undefined) waiting.stream = outlet.blocked
    if (outlet.losing !== undefined) waiting.spool = outlet.losing
    return {
      ...{ instance, at: new Date().toISOString(), waiting },
      cameras: Object.fromEntries(
        share.held.map(([id, { worker }]) => [id, { ...worker.state, spooled: spool.count(id) }]),
      ),
      counters: { ...metrics.counters },
      gauges: { ...metrics.gauges },
      bounds: metrics.takeBounds(),
    }
  }
  const heartbeat = setInterval(() => {
    if (!connection.isClosed()) connection.publish(ingestStatusSubject(instance), JSON.stringify(status()))
  }, 1_000)
  void (async () => {
    for await (const { type } of connection.status())
      if (type === Events.Disconnect) outlet.disconnected()
      else if (type === Events.Reconnect) outlet.reconnected()
  })()
  const sharing = share.run(signal)
  const staying = members.stay(signal)
  const draining = outlet.run(signal)

  return {
    status,
    refused,
    async close() {
      ending.abort()
      await sharing
      await Promise.all([staying, draining])
      await outlet.close()
      clearInterval(heartbeat)
      cameras.stop()
    },
  }
}

interface CameraShareOptions {
  cameras: WatchedCameras
  leases: KV
  members: Pick<Members, 'share'>
  instance: string
  open: (camera: string, live: LiveCamera) => CameraWorker
}

/** How often records and shares are compared with what is held, ms. */
const LOOK_MS = 500

/**
 * Holds this process's share of the live cameras, each by a lease. While NATS is away a camera is kept: its frames wait
 * on disk, and nobody else can take it over either.
 */
class CameraShare {
  readonly #options: CameraShareOptions
  readonly #held = new Map<string, Held>()
  readonly #closing = new Set<Promise<void>>()

  constructor(options: CameraShareOptions) {
    this.#options = options
  }

  get held(): [string, Held][] {
    return [...this.#held]
  }

  /** Resolves when `signal` has aborted and everything is given back. */
  async run(signal: AbortSignal): Promise<void> {
    for (let renewedAt = -Infinity; !signal.aborted; await sleep(LOOK_MS, signal)) {
      this.#follow()
      if (performance.now() - renewedAt >= Lease.RENEW_MS) {
        renewedAt = performance.now()
        await Promise.all([...this.#held].map(([camera, { lease }]) => this.#renew(camera, lease)))
      }
      await this.#takeOver(signal).catch(() => {})
    }
    for (const camera of [...this.#held.keys()]) this.#giveBack(camera)
    await Promise.all(this.#closing)
  }

  get #wanted(): Map<string, LiveCamera> {
    const wanted = new Map<string, LiveCamera>()
    for (const { id, live } of this.#options.cameras.cameras.values()) if (live) wanted.set(id, live)
    return wanted
  }

  /** Lets go what has no address any more, or too much of all, and follows changed records. */
  #follow(): void {
    const wanted = this.#wanted
    for (const [camera, held] of this.#held) {
      const live = wanted.get(camera)
      if (!live) this.#giveBack(camera)
      else if (JSON.stringify(live) !== JSON.stringify(held.worker.live)) {
        this.#close(held.worker)
        held.worker = this.#options.open(camera, live)
      }
    }
    const surplus = this.#held.size - this.#options.members.share(wanted.size)
    const last = [...this.#held.keys()].at(-1)
    if (surplus > 0 && last !== undefined) this.#giveBack(last)
  }

  async #renew(camera: string, lease: Lease): Promise<void> {
    if (await lease.renew()) return
    // Not renewed in time. While NATS is away the camera is kept; when another process has it, it is not.
    const isOurs = await lease.acquire().catch(() => true)
    if (!isOurs) this.#giveBack(camera)
  }

  async #takeOver(signal: AbortSignal): Promise<void> {
    const { leases, members, instance, open } = this.#options
    const wanted = this.#wanted
    for (const [camera, live] of wanted) {
      if (this.#held.size >= members.share(wanted.size) || signal.aborted) return
      if (this.#held.has(camera)) continue
      const lease = new Lease(leases, liveLease(camera), instance)
      if (await lease.acquire()) this.#held.set(camera, { lease, worker: open(camera, live) })
    }
  }

  #giveBack(camera: string): void {
    const held = this.#held.get(camera)
    if (!held) return
    this.#held.delete(camera)
    this.#track(held.worker.stop().then(() => held.lease.release()))
  }

  #close(worker: CameraWorker): void {
    this.#track(worker.stop())
  }

  #track(work: Promise<void>): void {
    this.#closing.add(work)
    void work.finally(() => this.#closing.delete(work))
  }
}

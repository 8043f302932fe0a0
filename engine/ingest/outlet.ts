import { headers as newHeaders, type NatsConnection } from 'nats'
import { reasonOf } from '../errors.js'
import { isTooLarge, natsReason } from '../nats/errors.js'
import { framesSubject, HEADER } from '../nats/topology.js'
import { backoffMs, sleep, within } from '../runtime/backoff.js'
import type { Metrics } from '../runtime/metrics.js'
import type { OutgoingPicture } from './outgoing.js'
import type { Spool } from './spool.js'

/** How long the stream may take to acknowledge a picture, ms. */
const ACKNOWLEDGE_MS = 5_000
/** Bytes that were sent and are not acknowledged yet; beyond, pictures go to the spool. */
const MOST_IN_FLIGHT_BYTES = 33_554_432

export interface OutletOptions {
  connection: NatsConnection
  spool: Spool
  metrics: Metrics
  log: { info(fields: object, text: string): void; warn(fields: object, text: string): void }
}

/**
 * Brings pictures to the stream. While the stream does not take them (NATS away, stream full) they wait in the spool;
 * when it does again, new pictures go first and those of the spool follow, camera by camera, in order: the engine takes
 * them as late.
 */
export class Outlet {
  readonly #options: OutletOptions
  #isConnected = true
  #inFlightBytes = 0
  readonly #sending = new Set<Promise<void>>()
  /** Why the stream takes nothing now; undefined when it does. */
  #blocked: string | undefined
  /** Why pictures are lost now; undefined when none are. */
  #losing: string | undefined

  constructor(options: OutletOptions) {
    this.#options = options
  }

  /** Why pictures wait on disk. */
  get blocked(): string | undefined {
    return this.#blocked
  }

  /** Why pictures are refused. */
  get losing(): string | undefined {
    return this.#losing
  }

  /** Takes a picture; it is on the stream or in the spool soon, or counted as refused. */
  publish(picture: OutgoingPicture): void {
    if (this.#blocked !== undefined) return this.#spool(picture)
    if (this.#inFlightBytes + picture.jpeg.length > MOST_IN_FLIGHT_BYTES) {
      this.#options.metrics.bound('ingest_in_flight')
      return this.#spool(picture)
    }
    this.#inFlightBytes += picture.jpeg.length
    const sending = this.#send(picture)
      .catch((error: unknown) => {
        if (this.#blocked === undefined) this.#block(natsReason(error))
        this.#spool(picture)
      })
      .finally(() => {
        this.#inFlightBytes -= picture.jpeg.length
        this.#sending.delete(sending)
      })
    this.#sending.add(sending)
  }

  /** The connection broke: nothing is sent until the server answers again. */
  disconnected(): void {
    this.#isConnected = false
    this.#block('NATS is unreachable')
  }

  reconnected(): void {
    this.#isConnected = true
  }

  /** Empties the spool whenever the stream takes pictures, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      if (!this.#isConnected) {
        await sleep(100, signal)
        continue
      }
      const { spool } = this.#options
      const [camera] = spool.cameras
      const picture = camera === undefined ? undefined : this.#oldest(camera)
      try {
        if (picture) await this.#send(picture)
        else if (this.#blocked !== undefined) await within(ACKNOWLEDGE_MS, this.#options.connection.flush())
        if (picture) spool.remove(picture)
        failures = 0
        if (this.#blocked !== undefined) this.#unblock()
        if (!picture) await sleep(200, signal)
      } catch (error) {
        this.#block(natsReason(error))
        await sleep(backoffMs(failures++, { firstMs: 250, maxMs: 3_000 }), signal)
      }
    }
  }

  /** Waits for what was sent. What the stream does not acknowledge is in the spool. */
  async close(): Promise<void> {
    await Promise.all(this.#sending)
  }

  #oldest(camera: string): OutgoingPicture | undefined {
    try {
      return this.#options.spool.oldest(camera)
    } catch (error) {
      this.#lose(`the spool cannot be read: ${reasonOf(error)}`)
      return undefined
    }
  }

  /** Resolves when the stream has the picture, or refuses it for good. @throws when it does not take it now */
  async #send({ camera, capturedAt, jpeg }: OutgoingPicture): Promise<void> {
    const { connection, metrics } = this.#options
    const headers = newHeaders()
    headers.set(HEADER.capturedAt, new Date(capturedAt).toISOString())
    headers.set(HEADER.msgId, `live-${camera}-${capturedAt}`)
    try {
      const answer = connection.jetstream().publish(framesSubject(camera), jpeg, { headers, timeout: ACKNOWLEDGE_MS })
      await answer
      metrics.count('frames_published_total')
    } catch (error) {
      if (!isTooLarge(error)) throw error
      metrics.count('frames_too_large_total')
      this.#options.log.warn({ camera, bytes: jpeg.length }, 'a picture is larger than the stream accepts')
    }
  }

  #spool(picture: OutgoingPicture): void {
    const { spool, metrics } = this.#options
    try {
      if (spool.add(picture)) {
        metrics.count('frames_spooled_total')
        this.#losing = undefined
        return
      }
      metrics.bound('ingest_spool')
      this.#lose('the spool is full (ingest.spoolMaxBytes); what it holds is kept')
    } catch (error) {
      this.#lose(`the spool cannot be written: ${reasonOf(error)}`)
    }
    metrics.count('frames_refused_total')
  }

  #block(reason: string): void {
    if (this.#blocked === undefined)
      this.#options.log.warn({ reason }, 'the stream takes no pictures: they wait on disk')
    this.#blocked = reason
  }

  #unblock(): void {
    this.#blocked = undefined
    this.#losing = undefined
    this.#options.log.info({ waiting: this.#options.spool.bytes }, 'the stream takes pictures again')
  }

  #lose(reason: string): void {
    if (this.#losing === undefined) this.#options.log.warn({ reason }, 'pictures are lost')
    this.#losing = reason
  }
}
